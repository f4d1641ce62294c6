// Takes the token of a link out of the address bar and the history, and puts it into the page's form if it came in the
// fragment, which the server does not see.

function takeToken() {
  const [, token = ''] = /(?:[?#&]|%23)token=([\w-]+)/i.exec(location.href) ?? []
  const [, path = location.pathname] = /^(.*?)(?:%23|#)/i.exec(location.pathname) ?? []
  history.replaceState(null, '', path)

  const field = document.querySelector('input[name="token"]')
  if (field === null || token === '') return
  field.value = token
  document.getElementById('incomplete')?.remove()
}

takeToken()
// Another link of the same kind, opened in the same tab, loads no page.
window.addEventListener('hashchange', takeToken)
