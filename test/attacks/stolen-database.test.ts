// An attacker has a copy of the database, and perhaps the server's secret too, and cannot make a token from it.

import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { parseSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { SECRET_KEY, startApp } from '../support/app.js'
import { dumpTables } from '../support/dump.js'
import { readFamily } from '../support/rows.js'

const KEY = 'an-attempt-key-of-mine'
const { api, browser, clock, database } = await startApp(t)

/** The parts of a refresh token. */
function partsOf(token: string) {
  const bytes = Buffer.from(token.slice(4), 'base64url')
  return { handle: bytes.subarray(1, 33), tag: bytes.subarray(37) }
}

/** A token forged by someone who knows the secret. */
function forge(handle: Uint8Array, generation: number): string {
  const secret = parseSecretKey(SECRET_KEY)
  if (secret === null) throw new Error('The test uses no secret.')
  const signed = Buffer.concat([handle, Buffer.alloc(4)])
  signed.writeUInt32BE(generation, 32)
  const tag = createHmac('sha256', secret.derive('refresh-token')).update(signed).digest().subarray(0, 16)
  return `spr_${Buffer.concat([Buffer.from([secret.id]), signed, tag]).toString('base64url')}`
}

t.test('REF-01, REF-21: the database contains no token, handle or attempt key, in any encoding', async (t) => {
  const { refreshToken, accessToken, email, password } = await api.signUp()
  const { body } = await api.refresh(refreshToken, { key: KEY })
  await api.refresh(body.refresh_token)
  clock.advance({ seconds: 11 })
  // The refusals are audited, but not the tokens.
  await api.refresh(refreshToken, { key: KEY })
  await api.refresh(body.refresh_token)
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  await page.call('/v1/auth/refresh', { method: 'POST', headers: { 'idempotency-key': KEY } })

  const cookie = page.cookies.get('sallyport_rt') ?? ''
  const tokens = [refreshToken, body.refresh_token ?? '', cookie]
  const bytes = tokens.flatMap((token) => Object.values(partsOf(token)))
  const texts = [
    ...[...tokens, accessToken, page.cookies.get('sallyport_at') ?? '', KEY, password, SECRET_KEY],
    ...bytes.flatMap((part) => [part.toString('hex'), part.toString('base64url'), part.toString('base64')]),
    createHash('sha256').update(KEY).digest('hex'),
  ]
  t.ok(texts.every((text) => text.length > 8))

  const dump = Object.values(await dumpTables(database))
    .flat()
    .join('\n')
  const handleHash = createHash('sha256').update(partsOf(cookie).handle).digest('hex')
  t.ok(dump.includes(handleHash), 'the dump is searched in the encoding that the database uses')
  for (const text of texts) t.notOk(dump.includes(text), text.slice(0, 12))
})

t.test('REF-01: the database and the secret together are not sufficient to forge a token', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const { body } = await api.refresh(refreshToken, { key: KEY })
  t.equal(forge(partsOf(refreshToken).handle, 1), body.refresh_token, 'with the handle they would be')

  const family = await readFamily(database, sessionId)
  const known = { handleHash: family.handleHash, attemptHash: family.attemptHash ?? Buffer.alloc(0) }
  for (const [what, handle] of Object.entries(known)) {
    for (const generation of [0, 1, 2]) {
      const answer = await api.refresh(forge(handle, generation))
      t.match(answer, { status: 401, body: { code: 'session_ended', reason: 'expired' } }, what)
    }
  }
  t.match(await api.refresh(body.refresh_token), { status: 200 }, 'and the session continues')
})
