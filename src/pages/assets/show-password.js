// Adds a button to each password field that shows what is typed. Without script, there is none.

for (const field of document.querySelectorAll('input[data-show-label]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show-password'
  button.textContent = field.dataset.showLabel
  button.setAttribute('aria-controls', field.id)
  button.setAttribute('aria-pressed', 'false')
  button.addEventListener('click', () => {
    const isShown = field.type === 'password'
    field.type = isShown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(isShown))
    field.focus()
  })
  // Password managers look at the form when it is sent.
  field.form.addEventListener('submit', () => {
    field.type = 'password'
  })
  field.after(button)
}
