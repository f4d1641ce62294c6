import { randomBytes, randomUUID } from 'node:crypto'
import { cookieHeader, cookiesOf, type Received, type Send } from '../http.js'
import { peerProgram, peerVersion } from '../../peers/peers.js'
import { answerTo, type Answer, type Held, type Protocol, type TargetKind } from '../target.js'
import { createOAuthProtocol, REDIRECT_URI } from './oauth.js'

const PASSWORD = 'copper lantern drifts over seven hills'
const secret = randomBytes(32).toString('base64url')

export const betterAuth: TargetKind = {
  name: 'better-auth',
  describe: () =>
    'its session cookie; the session is stored in the database and extended with each use (`updateAge: 0`)',
  version: () => peerVersion('better-auth', 'better-auth'),
  program: ({ databaseUrl }) =>
    peerProgram('better-auth', '/api/auth/ok', { DATABASE_URL: databaseUrl, SECRET: secret }),
  connect: connectSession,
}

export const betterAuthOAuth = oauthKind('better-auth-oauth', () => 0)
export const betterAuthOAuthReuse = oauthKind('better-auth-oauth-reuse', (graceSeconds) => graceSeconds)

function oauthKind(name: string, reuseSeconds: (graceSeconds: number) => number): TargetKind {
  return {
    name,
    describe: (grace) =>
      `its OAuth plugin, a public client, opaque access tokens, \`refreshTokenReuseInterval: ${reuseSeconds(grace)}\``,
    version: () => peerVersion('better-auth-oauth', '@better-auth/oauth-provider'),
    program: ({ databaseUrl, graceSeconds }) =>
      peerProgram('better-auth-oauth', '/client', {
        DATABASE_URL: databaseUrl,
        SECRET: secret,
        REDIRECT_URI,
        REUSE_INTERVAL: String(reuseSeconds(graceSeconds)),
      }),
    connect: connectOAuth,
  }
}

/** The cookies of a user who has just signed up or in. */
async function enter(send: Send, path: 'sign-up' | 'sign-in', email: string): Promise<string> {
  const body = JSON.stringify({ email, password: PASSWORD, ...(path === 'sign-up' && { name: email }) })
  const headers = { 'content-type': 'application/json' }
  const received = await send({ method: 'POST', path: `/api/auth/${path}/email`, headers, body })
  if (received.status !== 200) throw new Error(`No session: ${received.status} ${received.text}`)
  return cookieHeader(cookiesOf(received))
}

function connectSession(send: Send): Protocol {
  // One cookie is both the token that is renewed and the one that authenticates requests.
  const heldWith = (cookie: string): Held => ({ refreshToken: cookie, accessToken: cookie })
  const signIn = async (email: string) => heldWith(await enter(send, 'sign-in', email))

  function readSession(cookie: string, received: Received): Answer {
    if (JSON.parse(received.text) === null) return { outcome: 'refused', how: 'no session' }
    return { outcome: 'served', held: heldWith(cookieHeader(cookiesOf(received, parseCookies(cookie)))) }
  }

  return {
    async signUp() {
      const user = `${randomUUID()}@example.com`
      return { user, held: heldWith(await enter(send, 'sign-up', user)) }
    },
    signIn,
    refresh: ({ refreshToken: cookie }, { fate }) =>
      answerTo(send({ path: '/api/auth/get-session', headers: { cookie }, fate }), (received) =>
        readSession(cookie, received),
      ),
    async isAlive({ accessToken: cookie }) {
      const received = await send({ path: '/api/auth/get-session?disableRefresh=true', headers: { cookie } })
      return received.status === 200 && JSON.parse(received.text) !== null
    },
  }
}

function parseCookies(header: string): Record<string, string> {
  return Object.fromEntries(header.split('; ').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]))
}

function connectOAuth(send: Send): Protocol {
  // Created by the server at its first start.
  let clientId: Promise<string> | undefined
  const readClientId = async () => (JSON.parse((await send({ path: '/client' })).text) as { clientId: string }).clientId
  const signedUp = new Set<string>()
  return createOAuthProtocol({
    send,
    clientId: () => (clientId ??= readClientId()),
    paths: {
      authorize: '/api/auth/oauth2/authorize',
      token: '/api/auth/oauth2/token',
      userinfo: '/api/auth/oauth2/userinfo',
    },
    createUser: () => Promise.resolve(`${randomUUID()}@example.com`),
    async authorize(user, path) {
      const cookie = await enter(send, signedUp.has(user) ? 'sign-in' : 'sign-up', user)
      signedUp.add(user)
      const { status, headers, text } = await send({ path, headers: { cookie } })
      if (headers.location === undefined) throw new Error(`Not authorized: ${status} ${text}`)
      return headers.location
    },
  })
}
