import { createPublicKey } from 'node:crypto'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { LockedKeysError } from '../../src/features/tokens/signing-keys.js'
import { generateSecretKey, parseSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { SECRET_KEY, startApp, type TestApp } from '../support/app.js'
import { dumpTables } from '../support/dump.js'
import { readSigningKey } from '../support/signing-keys.js'

/** The secret itself, in every encoding in which it could appear. */
async function spellingsOf(app: TestApp, state: 'active' | 'next'): Promise<string[]> {
  const { privateKey } = await readSigningKey(app, state)
  const { d = '' } = privateKey.export({ format: 'jwk' })
  const seed = Buffer.from(d, 'base64url')
  return [d, seed.toString('base64'), seed.toString('hex')]
}

t.test('KEY-05: no private key is in the database or in any response', async (t) => {
  const app = await startApp(t)
  const { api, database } = app
  const { accessToken } = await api.signUp()
  const tables = await dumpTables(database)
  t.equal(tables.signing_key?.length, 2)
  const paths = ['/.well-known/jwks.json', '/openapi.json', '/readyz', '/livez', '/v1/whoami', '/v1/me', '/v1/sessions']
  const answers = await Promise.all(paths.map((path) => api.call(path, { token: accessToken })))
  const exposed = [JSON.stringify(tables), JSON.stringify(answers)]
  for (const state of ['active', 'next'] as const) {
    const spellings = await spellingsOf(app, state)
    for (const [index, text] of exposed.entries()) {
      for (const spelling of spellings)
        t.notOk(text.includes(spelling), `${state}: ${index === 0 ? 'database' : 'API'}`)
      t.notOk(/PRIVATE KEY/.test(text))
    }
    // The public part is there, so this test searches the right place.
    const { x = '' } = createPublicKey((await readSigningKey(app, state)).privateKey).export({ format: 'jwk' })
    t.ok(exposed.every((text) => text.includes(x)))
  }
})

t.test('KEY-05: without the secret the keys cannot be decrypted, and the start names the missing one', async (t) => {
  const first = await startApp(t)
  const { accessToken } = await first.api.signUp()
  const start = (SECRET_KEY: string) => startApp(t, { join: true, settings: { SECRET_KEY } })
  const other = generateSecretKey()
  const missingId = String(parseSecretKey(SECRET_KEY)?.id)

  const error: unknown = await start(other).catch((thrown: unknown) => thrown)
  t.ok(error instanceof LockedKeysError)
  const message = String(error)
  t.match(message, new RegExp(`requires the secret with id ${missingId}\\b`))
  for (const secret of [other, SECRET_KEY]) t.notOk(message.includes(secret))
  t.match(await first.api.whoami(accessToken), { status: 200 }, 'and nothing was changed')

  const { api } = await start(`${other},${SECRET_KEY}`)
  t.match(await api.whoami(accessToken), { status: 200 })
})

t.test('KEY-05: an encrypted key can only be decrypted in its own row, and only unmodified', async (t) => {
  const { database } = await startApp(t)
  const restart = () => startApp(t, { join: true })
  const [one, two] = await database.query((client) => client.signingKey.findMany())
  if (!one || !two) throw new Error('There are two keys at the start.')
  const replace = (kid: string, sealedPrivateKey: Uint8Array) =>
    database.query((client) =>
      client.signingKey.update({ where: { kid }, data: { sealedPrivateKey: new Uint8Array(sealedPrivateKey) } }),
    )

  await replace(one.kid, two.sealedPrivateKey)
  await t.rejects(restart(), LockedKeysError)
  for (const index of [0, 12, one.sealedPrivateKey.length - 1]) {
    const flipped = new Uint8Array(one.sealedPrivateKey)
    flipped[index] = (flipped[index] ?? 0) ^ 1
    await replace(one.kid, flipped)
    await t.rejects(restart(), LockedKeysError)
  }
  await replace(one.kid, new Uint8Array())
  await t.rejects(restart(), LockedKeysError)
  await replace(one.kid, one.sealedPrivateKey)
  t.ok(await restart())
})

t.test('KEY-05: secrets:rotate encrypts every key again, and then the old secret can be removed', async (t) => {
  const before = await startApp(t)
  const { accessToken } = await before.api.signUp()
  await runCommand(before.app.operator, 'keys:rotate', ['--force'])
  const sealedBefore = await dumpTables(before.database)

  const next = generateSecretKey()
  const both = await startApp(t, { join: true, settings: { SECRET_KEY: `${next},${SECRET_KEY}` } })
  const lines = await runCommand(both.app.operator, 'secrets:rotate', [])
  t.match(lines[0], /^3 signing keys/)
  const sealed = await both.database.query((client) => client.signingKey.findMany())
  t.equal(sealed.length, 3)
  const nextId = parseSecretKey(next)?.id
  for (const key of sealed) {
    t.equal(key.secretId, nextId)
    const text = Buffer.from(key.sealedPrivateKey).toString('hex')
    t.notOk(JSON.stringify(sealedBefore).includes(text))
  }

  const { api } = await startApp(t, { join: true, settings: { SECRET_KEY: next } })
  t.match(await api.whoami(accessToken), { status: 200 })
  const user = await api.signUp()
  t.match(await both.api.whoami(user.accessToken), { status: 200 })
  await t.rejects(startApp(t, { join: true }), LockedKeysError, 'the old secret alone is not sufficient')
})

t.test('a retired key that no secret can decrypt does not prevent a start: its tokens are only verified', async (t) => {
  const before = await startApp(t)
  const { accessToken } = await before.api.signUp()
  await runCommand(before.app.operator, 'keys:rotate', ['--force'])
  await before.database.query((client) =>
    client.signingKey.updateMany({ where: { state: 'retired' }, data: { sealedPrivateKey: new Uint8Array(60) } }),
  )
  const { api, app } = await startApp(t, { join: true })
  t.match(await api.whoami(accessToken), { status: 200 })
  t.match((await runCommand(app.operator, 'secrets:rotate', []))[0], /^2 signing keys/)
})
