// A relying party's endpoint for back-channel logout, over real HTTP.

import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen } from './listen.js'

interface Test {
  teardown(work: () => Promise<void>): void
}

export interface LogoutReceiver {
  uri: string
  /** The logout tokens that it was sent, the oldest first. */
  tokens: string[]
  /** What it answers from now on; 200 at first. */
  answer(respond: (response: ServerResponse) => void): void
}

export async function startLogoutReceiver(t: Test): Promise<LogoutReceiver> {
  const tokens: string[] = []
  let respond: (response: ServerResponse) => void = (response) => response.writeHead(200).end()
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
      const token = new URLSearchParams(isForm ? body : '').get('logout_token')
      if (request.method === 'POST' && request.url === '/backchannel-logout' && token !== null) tokens.push(token)
      respond(response)
    })
  })
  const port = await listen(t, server)
  return {
    uri: `http://127.0.0.1:${port}/backchannel-logout`,
    tokens,
    answer: (answer) => void (respond = answer),
  }
}
