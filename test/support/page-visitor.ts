// A browser without script, over requests in this process: it keeps cookies, and sends the forms of the pages it has opened.

import type { Answer, Call } from './api.js'
import { PASSWORD } from './api.js'
import type { TestApp } from './app.js'
import type { Browser } from './browser.js'

export interface Visitor extends Pick<Browser, 'cookies'> {
  /** Opens a page. */
  open(path: string, call?: Call): Promise<Answer<string>>
  /** Sends fields to a path, with the token of the page that was opened last. */
  send(path: string, fields?: Record<string, string>, call?: Call): Promise<Answer<string>>
  /** Registers a new user, who is signed in then. */
  register(email: string): Promise<void>
}

export const formType = 'application/x-www-form-urlencoded'

export function createVisitor({ browser, config }: Pick<TestApp, 'browser' | 'config'>): Visitor {
  const { cookies, call } = browser()
  const { origin } = new URL(config.server.publicUrl)
  let token = ''

  async function request(path: string, options: Call): Promise<Answer<string>> {
    const answer = await call<string>(path, options)
    token = tokenIn(answer.body) ?? token
    return answer
  }

  const send: Visitor['send'] = (path, fields = {}, { headers, ...options } = {}) =>
    request(path, {
      method: 'POST',
      text: new URLSearchParams({ csrf: token, ...fields }).toString(),
      ...options,
      headers: { origin, 'content-type': formType, ...headers },
    })

  return {
    cookies,
    open: (path, options = {}) => request(path, options),
    send,
    async register(email) {
      await request('/register', {})
      const { status, headers } = await send('/register', { email, name: '', password: PASSWORD, return_to: '' })
      if (status !== 303) throw new Error(`The registration was refused: ${status} ${String(headers['location'])}`)
      await request('/account', {})
    },
  }
}

/** The token of the first form of a page. */
export function tokenIn(body: string): string | undefined {
  return /name="csrf" value="([^"]+)"/.exec(body)?.[1]
}
