// Sallyport's token endpoint: a public client that has registered itself, as an app or an agent does.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { cookieHeader, cookiesOf, type Send } from '../http.js'
import { promisedWithKeys } from '../promise.js'
import type { Protocol, TargetKind } from '../target.js'
import { createOAuthProtocol, ORIGIN, REDIRECT_URI } from './oauth.js'
import { PASSWORD, program, version } from './sallyport.js'

const MAX_STEPS = 8

const settings = { OAUTH: 'on', OAUTH_REGISTRATION: 'open' }

export const sallyportOAuth: TargetKind = {
  name: 'sallyport-oauth',
  describe: (grace) => `\`/oauth/token\`, an \`Idempotency-Key\` for each refresh, \`REFRESH_GRACE=${grace}\``,
  version,
  promised: promisedWithKeys,
  program: (given) => program(given, settings),
  connect,
}

function connect(send: Send): Protocol {
  let registered: Promise<string> | null = null

  const post = (path: string, body: object) =>
    send({ method: 'POST', path, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

  async function register(): Promise<string> {
    const { status, text } = await post('/oauth/register', {
      ...{ client_name: 'Torture', redirect_uris: [REDIRECT_URI], application_type: 'native' },
      ...{ token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] },
    })
    if (status !== 201) throw new Error(`Not registered: ${status} ${text}`)
    return z.object({ client_id: z.string() }).parse(JSON.parse(text)).client_id
  }

  return createOAuthProtocol({
    send,
    keyed: true,
    clientId: () => (registered ??= register()),
    paths: { authorize: '/oauth/authorize', token: '/oauth/token', userinfo: '/oauth/userinfo' },

    async createUser() {
      const user = `${randomUUID()}@example.com`
      const { status, text } = await post('/v1/auth/register', { email: user, password: PASSWORD, mode: 'json' })
      if (status !== 201) throw new Error(`No user: ${status} ${text}`)
      return user
    },

    /** The user signs in in a new browser, and agrees. */
    async authorize(user, path) {
      let cookies = cookiesOf(await post('/v1/auth/login', { email: user, password: PASSWORD, mode: 'session' }))
      let next = path
      for (let step = 0; step < MAX_STEPS; step += 1) {
        const shown = await send({ path: next, headers: { cookie: cookieHeader(cookies) } })
        cookies = cookiesOf(shown, cookies)
        const { location } = shown.headers
        if (location?.startsWith(REDIRECT_URI)) return location
        if (location !== undefined) {
          next = location
          continue
        }
        if (!next.includes('/consent/')) throw new Error(`Not authorized at ${next}: ${shown.status} ${shown.text}`)
        const agreed = await send({
          method: 'POST',
          path: next,
          body: new URLSearchParams({ ...hiddenFields(shown.text), decision: 'allow' }).toString(),
          headers: {
            ...{ cookie: cookieHeader(cookies), origin: ORIGIN },
            'content-type': 'application/x-www-form-urlencoded',
          },
        })
        cookies = cookiesOf(agreed, cookies)
        next = addressOnPage(agreed.text)
      }
      throw new Error('The sign-in leads from one page to the next.')
    },
  })
}

/** What the forms of a page send besides what the user decides. */
function hiddenFields(html: string): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]))
}

/** Where the page after the consent leads by itself. */
function addressOnPage(html: string): string {
  const address = /<meta http-equiv="refresh" content="0;url=([^"]+)"/.exec(html)?.[1]
  if (address === undefined) throw new Error(`The page leads nowhere: ${html}`)
  return address.replaceAll('&amp;', '&')
}
