// Verifiers and servers of two versions: during an upgrade, and as long as a service uses an old SDK.

import { readFileSync } from 'node:fs'
import { decodeJwt } from 'jose'
import t from 'tap'
import { z } from 'zod'
import { createVerifier } from '../../../src/sdk/verifier/verifier.js'
import type { TokenBody } from '../../support/api.js'
import { startApp } from '../../support/app.js'
import { runCommand } from '../../../src/commands/commands.js'
import { createVerifierCredential } from '../../../src/features/clients/clients.js'
import { connectTo } from '../../support/client.js'
import { openFeed } from '../../support/feed-reader.js'
import { signUpAs } from '../../support/authenticated.js'

interface IssuedBefore {
  issuer: string
  audience: string
  now: string
  keys: object[]
  tokens: string[]
}

const file = new URL('../../vectors/access-tokens-0.1.0.json', import.meta.url)
const before = JSON.parse(readFileSync(file, 'utf8')) as IssuedBefore

t.test('TOK-10: the access tokens of version 0.1.0 are accepted', async (t) => {
  const { issuer, audience, keys, tokens } = before
  const verifier = createVerifier({
    issuer,
    audience,
    algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
    clock: { now: () => new Date(before.now), elapsedMs: () => 0 },
    fetch: () => Promise.resolve(Response.json({ keys })),
  })
  t.teardown(() => verifier.close())
  t.equal(tokens.length, 4)
  for (const token of tokens) t.strictSame(await verifier.verify(token), decodeJwt(token))
})

const text = z.string().min(1)
const numericDate = z.int().nonnegative()

/**
 * The claims that a verifier SDK accepts that was built before tokens had `acr`, copied here so that the test needs no
 * history: it knows none of the later claims, and passes them through (RFC 7519, section 4).
 */
const acceptedBefore = z
  .looseObject({
    ...{ iss: text, sub: z.uuid(), aud: z.union([text, z.array(text).min(1)]), jti: z.uuid(), client_id: text },
    ...{ iat: numericDate, nbf: numericDate, exp: numericDate, epoch: numericDate, auth_time: numericDate },
    ...{ sid: z.uuid(), roles: z.array(text), scope: z.string(), amr: z.array(text) },
  })
  .refine(({ iat, exp }) => exp > iat && exp - iat <= 3600)
  .refine(({ cnf }) => cnf === undefined)

/** Version 0.1.0 refuses every other claim. The changelog tells that its verifiers have to be upgraded for these. */
const addedSince = ['acr']

t.test('TOK-10: the access tokens of this version are accepted by verifiers that were built before', async (t) => {
  const app = await startApp(t)
  const { api, browser } = app
  const accepts = (token: string | undefined, name: string) => {
    const claims = decodeJwt(token ?? '')
    t.equal(acceptedBefore.safeParse(claims).error, undefined, name)
    const added = Object.keys(claims).filter((claim) => !(claim in acceptedBefore.shape))
    t.strictSame(added, addedSince, name)
  }
  const { email, password, accessToken, refreshToken } = await api.signUp()
  accepts(accessToken, 'of a registration')
  accepts((await api.refresh(refreshToken)).body.access_token, 'of a refresh')
  const again = await api.call<TokenBody>('/v1/auth/reauthenticate', {
    ...{ method: 'POST', token: accessToken, body: { password } },
  })
  accepts(again.body.access_token, 'of a reauthentication')
  const passkey = await signUpAs(app, { factors: ['passkey'], amr: ['swk', 'user'], acr: 'phr' })
  accepts(passkey.accessToken, 'of a passkey')
  const code = await signUpAs(app, { factors: ['totp'], amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
  accepts(code.accessToken, 'of two factors')

  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  accepts(page.cookies.get('sallyport_at'), 'of a login in mode session')
  page.cookies.delete('sallyport_at')
  t.equal((await page.call('/v1/whoami')).status, 200)
  accepts(page.cookies.get('sallyport_at'), 'of a renewal')
})

const expiry = { expires_at: z.int().nonnegative() }

/** The entries that version 0.1.0 knows: for any other among `entries`, its list counts as stale for an hour. */
const entryBefore = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('session'), sid: text, ...expiry }),
  z.object({ kind: z.literal('user'), sub: text, epoch: numericDate, ...expiry }),
  z.object({ kind: z.literal('key'), kid: text, ...expiry }),
])
const listBefore = z.object({ cursor: z.string(), age_ms: z.int().nonnegative(), entries: z.array(entryBefore) })

/** The events that it reads; it skips others. */
const eventsBefore = new Set(['entries', 'beat'])

t.test('REF-12: a verifier that was built before reads a feed with entries of clients, and skips those', async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  const app = await startApp(t, { settings: { VERIFIER_KEYS: `orders:${sha256}` } })
  const { port } = await connectTo(t, app.app.server)
  const { accessToken, sessionId } = await app.api.signUp()
  const operate = (name: string, ...args: string[]) => runCommand(app.app.operator, name, args)
  await operate('client:create', '--client-id', 'billing', '--client-name', 'Billing')
  await operate('client:disable', '--client-id', 'billing')
  const authorization = `Bearer ${credential}`

  // At first only the client's entry: what has an id then is an event that is skipped, and the beat brings the cursor.
  const feed = await openFeed(t, port, '/v1/revocations/stream', { authorization })
  const beat = await feed.next(({ event }) => event === 'beat')
  await app.api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
  const news = await feed.next(({ event }) => event === 'entries')
  t.ok(
    feed.events.some(({ event }) => event === 'clients'),
    'the entry was sent',
  )
  for (const { event, data } of feed.events.filter(({ event }) => eventsBefore.has(event))) {
    if (event === 'entries') t.equal(z.array(entryBefore).safeParse(data.entries).error, undefined)
  }
  t.match(news.data, { entries: [{ kind: 'session', sid: sessionId }] })

  for (const query of ['', `?cursor=${beat.id ?? ''}`]) {
    const { body } = await app.api.call(`/v1/revocations${query}`, { headers: { authorization } })
    const read = listBefore.safeParse(body)
    t.match(read, { success: true, data: { entries: [{ kind: 'session', sid: sessionId }] } })
  }
})
