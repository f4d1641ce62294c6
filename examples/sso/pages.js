// The pages of the example, without script. Those of a user who is signed in reload themselves each second, to show at once
// that the session has ended.

const style = `
  :root { color-scheme: light dark; font: 17px/1.6 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 2rem; margin: 0 0 1rem; }
  .state { border-left: 4px solid #1f7a4d; padding-left: 1rem; }
  .out { border-color: #b3541e; }
  .button { display: inline-block; font: inherit; padding: .5rem 1.1rem; border: 0; border-radius: 6px;
    background: #1d4ed8; color: #fff; text-decoration: none; cursor: pointer; }
  nav { margin-top: 3rem; font-size: .9rem; }
  nav a { margin-right: 1rem; }
`

export function renderSignedIn({ name, session, others }) {
  return page({
    title: name,
    reloads: true,
    content: `
      <p class="state">Signed in as <strong>${escape(session.name)}</strong> (${escape(session.email)})</p>
      <form method="post" action="/logout"><button class="button">Sign out</button></form>
      ${links(others)}`,
  })
}

export function renderSignedOut({ name, hadSession, others }) {
  return page({
    title: name,
    content: `
      <p class="state out">${hadSession ? 'Your session has ended.' : 'You are signed out.'}</p>
      <p><a class="button" href="/login">Sign in</a></p>
      ${links(others)}`,
  })
}

export function renderFault({ name, message }) {
  return page({
    title: name,
    content: `<p class="state out">${escape(message)}</p><p><a class="button" href="/login">Sign in again</a></p>`,
  })
}

export function renderReport({ orders, for_client: client }) {
  const list = orders.map(({ item }) => `<li>${escape(item)}</li>`).join('')
  const content = `<p class="state">The shop has ${orders.length} orders for <code>${escape(client)}</code>:</p><ul>${list}</ul>`
  return page({ title: 'Report', content })
}

export function renderRefusal(reason) {
  return page({ title: 'Report', content: `<p class="state out">${escape(reason)}</p>` })
}

function page({ title, content, reloads = false }) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    ${reloads ? '<meta http-equiv="refresh" content="1">' : ''}
    <title>${escape(title)}</title>
    <style>${style}</style>
  </head>
  <body><main><h1>${escape(title)}</h1>${content}</main></body>
</html>`
}

function links(others) {
  return `<nav>${others.map(({ name, url }) => `<a href="${escape(url)}">${escape(name)}</a>`).join('')}</nav>`
}

function escape(text = '') {
  return String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
