// Auth.js (@auth/core): sign-in with name and address from the ID token, and its logout, which is its own alone.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { openApplication, startApplication } from '../support/relying-application.js'
import { startProvider } from '../support/relying-party.js'

/** Serves what answers requests of the Fetch standard, as the packages of Auth.js for frameworks do. */
function serveFetch(answer: (request: Request) => Promise<Response>): RequestListener {
  async function respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = message
    const request = new Request(new URL(url, `http://${String(headers.host)}`), {
      method,
      headers: headers as Record<string, string>,
      ...(method === 'POST' && { body: await text(message) }),
    })
    const answered = await answer(request)
    response.statusCode = answered.status
    response.setHeaders(answered.headers)
    response.end(await answered.text())
  }
  return (message, response) => void respond(message, response)
}

t.test('@auth/core: sign-in, session, and logout', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
  const { url } = await startApplication(t, provider, {
    folder: 'auth-core',
    callback: '/auth/callback/sallyport',
    serve: serveFetch,
  })
  const browser = openApplication(provider, ada, { url })

  const signIn = await browser.open('/auth/signin')
  await browser.goOn(await signIn.submit(`${url}/auth/signin/sallyport`, {}))
  const session = await browser.open('/auth/session')
  t.match(JSON.parse(session.html), { user: { name: 'Ada Lovelace', email: ada.email } })

  const signOut = await browser.open('/auth/signout')
  await signOut.submit(`${url}/auth/signout`, {})
  t.equal((await browser.open('/auth/session')).html, 'null')
})
