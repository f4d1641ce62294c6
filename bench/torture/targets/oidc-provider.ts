import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { cookieHeader, cookiesOf, type Send } from '../http.js'
import { peerProgram, peerVersion } from '../../peers/peers.js'
import { createProof } from '../proof.js'
import type { Protocol, TargetKind } from '../target.js'
import { createOAuthProtocol, REDIRECT_URI } from './oauth.js'

const secret = randomBytes(32).toString('base64url')
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { format: 'pem', type: 'spki' },
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
})
const signingKey = JSON.stringify({
  ...createPrivateKey(privateKey).export({ format: 'jwk' }),
  alg: 'RS256',
  use: 'sig',
})

const MAX_REDIRECTS = 5

interface Variant {
  description: string
  clientId: string
  /** For a client with sender-constrained tokens. */
  createProof?: typeof createProof
  consumeOnce?: boolean
}

export const oidcProvider = kind('oidc-provider', {
  description: 'a public client, opaque access tokens, `rotateRefreshToken` at its default (rotation)',
  clientId: 'app',
})
export const oidcProviderOnce = kind('oidc-provider-once', {
  description: 'the same, with an adapter whose `consume` fails for a token that was already consumed',
  clientId: 'app',
  consumeOnce: true,
})
export const oidcProviderDpop = kind('oidc-provider-dpop', {
  description: 'a client whose tokens are bound to its own key (DPoP), which are not rotated by default',
  clientId: 'app-with-key',
  createProof,
})

function kind(name: string, { description, consumeOnce = false, ...client }: Variant): TargetKind {
  return {
    name,
    describe: () => description,
    version: () => peerVersion('oidc-provider', 'oidc-provider'),
    program: ({ databaseUrl }) =>
      peerProgram('oidc-provider', '/.well-known/openid-configuration', {
        DATABASE_URL: databaseUrl,
        SECRET: secret,
        SIGNING_KEY: signingKey,
        REDIRECT_URI,
        CONSUME_ONCE: String(consumeOnce),
      }),
    connect: (send) => connect(send, client),
  }
}

function connect(send: Send, { clientId, ...rest }: Omit<Variant, 'description'>): Protocol {
  return createOAuthProtocol({
    ...rest,
    send,
    clientId: () => Promise.resolve(clientId),
    paths: { authorize: '/auth', token: '/token', userinfo: '/me' },
    createUser: () => Promise.resolve(randomUUID()),
    async authorize(user, path) {
      let cookies = {}
      // Without the prompt, offline_access is ignored (OpenID Connect Core, section 11).
      let next = `${path}&prompt=consent`
      for (let redirects = 0; redirects < MAX_REDIRECTS; redirects += 1) {
        const received = await send({ path: next, headers: { cookie: cookieHeader(cookies) } })
        cookies = cookiesOf(received, cookies)
        const { location } = received.headers
        if (location === undefined) throw new Error(`Not authorized: ${received.status} ${received.text}`)
        if (location.startsWith(REDIRECT_URI)) return location
        next = location.includes('/interaction/') ? `${location}?account=${user}` : location
      }
      throw new Error('Too many redirects at sign-in.')
    },
  })
}
