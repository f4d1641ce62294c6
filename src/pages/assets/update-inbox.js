// Shows new mails of the development inbox as they arrive, and keeps those that are open as they are.

const PAUSE_MS = 1000
const list = document.querySelector('#mails')

async function update() {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (!response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  const mails = [...page.querySelectorAll('#mails > article')]
  const isNew = ({ id }) => document.getElementById(id) === null
  if (mails.length === list.querySelectorAll('article').length && !mails.some(isNew)) return
  list.querySelector(':scope > p')?.remove()
  for (const mail of mails.toReversed()) if (isNew(mail)) list.prepend(document.adoptNode(mail))
}

async function keepUpdating() {
  // The server may be restarting.
  await update().catch(() => undefined)
  setTimeout(keepUpdating, PAUSE_MS)
}

setTimeout(keepUpdating, PAUSE_MS)
