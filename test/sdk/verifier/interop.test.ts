// Verifiers and servers of two versions: during an upgrade, and as long as a service uses an old SDK.

import { readFileSync } from 'node:fs'
import { decodeJwt } from 'jose'
import t from 'tap'
import { z } from 'zod'
import { createVerifier } from '../../../src/sdk/verifier/verifier.js'
import { startApp } from '../../support/app.js'

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

/**
 * The claims that a verifier SDK of version 0.1.0 accepts, copied here because it refuses every other claim: issuing a
 * claim that is not listed would log users out of each service with that SDK. This schema changes only when those SDKs
 * are no longer supported.
 */
const acceptedBefore = z.strictObject({
  iss: z.string().min(1),
  sub: z.uuid(),
  aud: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  iat: z.int().nonnegative(),
  nbf: z.int().nonnegative(),
  exp: z.int().nonnegative(),
  jti: z.uuid(),
  client_id: z.string().min(1),
  sid: z.uuid(),
  epoch: z.int().nonnegative(),
  roles: z.array(z.string().min(1)),
  scope: z.string(),
  auth_time: z.int().nonnegative(),
  amr: z.array(z.string().min(1)),
})

t.test('TOK-10: the access tokens of this version are accepted by the SDK of version 0.1.0', async (t) => {
  const { api, browser } = await startApp(t)
  const accepts = (token: string | undefined, name: string) => {
    t.equal(acceptedBefore.safeParse(decodeJwt(token ?? '')).error, undefined, name)
  }
  const { email, password, accessToken, refreshToken } = await api.signUp()
  accepts(accessToken, 'of a registration')
  accepts((await api.refresh(refreshToken)).body.access_token, 'of a refresh')

  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  accepts(page.cookies.get('sallyport_at'), 'of a login in mode session')
  page.cookies.delete('sallyport_at')
  t.equal((await page.call('/v1/whoami')).status, 200)
  accepts(page.cookies.get('sallyport_at'), 'of a renewal')
})
