// Adds buttons that copy, save and print the recovery codes. Without script, they are text that can be selected.

const list = document.querySelector('[data-codes]')
const actions = document.createElement('div')
actions.className = 'actions'
const text = [...list.querySelectorAll('code')].map((code) => code.textContent).join('\n')

function add(label, act) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'button secondary'
  button.textContent = label
  button.addEventListener('click', () => void act(button))
  actions.append(button)
}

if (navigator.clipboard !== undefined) {
  add(list.dataset.copy, async (button) => {
    await navigator.clipboard.writeText(`${text}\n`)
    button.textContent = list.dataset.copied
  })
}
add(list.dataset.download, () => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
  link.download = list.dataset.file
  link.click()
  URL.revokeObjectURL(link.href)
})
add(list.dataset.print, () => window.print())
list.after(actions)
