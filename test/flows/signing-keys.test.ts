import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { CommandError } from '../../src/commands/command.js'
import { runCommand } from '../../src/commands/commands.js'
import type { Api } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

interface KeySet {
  keys: { kid: string; alg: string }[]
}

async function keySet(api: Api) {
  const answer = await api.call<KeySet>('/.well-known/jwks.json')
  return { kids: answer.body.keys.map(({ kid }) => kid), keys: answer.body.keys, etag: answer.headers.etag }
}

async function newToken(api: Api) {
  const { accessToken } = await api.signUp()
  const { kid = '', alg } = decodeProtectedHeader(accessToken)
  return { accessToken, kid, alg }
}

/** The other published key, if none was retired. */
async function nextKid(api: Api, activeKid: string): Promise<string | undefined> {
  const { kids } = await keySet(api)
  return kids.length === 2 ? kids.find((kid) => kid !== activeKid) : undefined
}

const rotate = ({ app }: TestApp, ...args: string[]) => runCommand(app.operator, 'keys:rotate', args)

t.test('KEY-03: a key signs for 90 days, and its successor is published before it signs', async (t) => {
  const { api, app, clock, database } = await startApp(t)
  const first = await newToken(api)
  const successor = await nextKid(api, first.kid)

  clock.advance({ days: 89 })
  await app.operations.runMaintenance()
  t.equal((await newToken(api)).kid, first.kid)

  clock.advance({ days: 1 })
  const last = await newToken(api)
  t.equal(last.kid, first.kid)
  await app.operations.runMaintenance()
  t.equal((await newToken(api)).kid, successor)
  t.match(await api.whoami(last.accessToken), { status: 200 }, 'a token of the retired key is still valid')
  const { kids } = await keySet(api)
  t.equal(kids.length, 3)
  t.ok(kids.includes(first.kid))

  clock.advance({ hours: 1, minutes: 59 })
  await app.operations.runMaintenance()
  t.ok((await keySet(api)).kids.includes(first.kid))
  clock.advance({ minutes: 2 })
  await app.operations.runMaintenance()
  t.notOk((await keySet(api)).kids.includes(first.kid), 'it is removed when its last token has expired')
  const stored = await database.query((client) => client.signingKey.findMany({ orderBy: { state: 'asc' } }))
  t.match(stored, [{ state: 'next' }, { state: 'active', kid: successor }])
  t.equal(stored.length, 2, 'and from the database')
  t.match(await api.whoami(last.accessToken), { status: 401, body: { code: 'token_invalid' } })
})

t.test('KEY-03: keys:rotate waits until the next key has been published for a day, unless forced', async (t) => {
  const server = await startApp(t)
  const { api, clock } = server
  const first = await newToken(api)
  await t.rejects(rotate(server), CommandError)
  clock.advance({ hours: 23 })
  await t.rejects(rotate(server), CommandError)
  t.equal((await newToken(api)).kid, first.kid)

  clock.advance({ hours: 1, minutes: 1 })
  const successor = await nextKid(api, first.kid)
  t.ok((await rotate(server)).join().includes(successor ?? 'none'))
  const second = await newToken(api)
  t.equal(second.kid, successor)
  await t.rejects(rotate(server), CommandError, 'its successor is new')

  await rotate(server, '--force')
  await rotate(server, '--force')
  const third = await newToken(api)
  t.not(third.kid, second.kid)
  t.equal((await keySet(api)).kids.length, 5, 'three retired ones, the active one and the next')
  t.match(await api.whoami(second.accessToken), { status: 200 })
  t.match(await api.whoami(third.accessToken), { status: 200 })
})

t.test(
  'KEY-03: instances that have not noticed a rotation accept the new key, and their own is still accepted',
  async (t) => {
    const one = await startApp(t)
    const two = await startApp(t, { join: true, clock: one.clock })
    t.same(await keySet(two.api), await keySet(one.api), 'they share one key set')

    await rotate(one, '--force')
    await rotate(one, '--force')
    const ofOne = await newToken(one.api)
    t.match(await two.api.whoami(ofOne.accessToken), { status: 200 }, 'an unknown key is looked up')
    const ofTwo = await newToken(two.api)
    t.match(await one.api.whoami(ofTwo.accessToken), { status: 200 })

    await two.app.operations.runMaintenance()
    t.equal((await newToken(two.api)).kid, ofOne.kid)
    t.same(await keySet(two.api), await keySet(one.api))
  },
)

t.test('the key set survives a restart', async (t) => {
  const before = await startApp(t)
  const { accessToken, kid } = await newToken(before.api)
  // Moves the row behind the other, as any update does.
  await before.database.query((client) => client.signingKey.update({ where: { kid }, data: { algorithm: 'EdDSA' } }))
  const restarted = await startApp(t, { join: true, clock: before.clock })
  t.same(await keySet(restarted.api), await keySet(before.api))
  t.match(await restarted.api.whoami(accessToken), { status: 200 })
  t.equal((await newToken(restarted.api)).kid, kid)
})

t.test('KEY-01: another SIGNING_ALGORITHM is used once its key has been published for a day', async (t) => {
  const before = await startApp(t)
  const { clock } = before
  const old = await newToken(before.api)
  const discarded = await nextKid(before.api, old.kid)

  const settings = { SIGNING_ALGORITHM: 'ES256' }
  const { api, app } = await startApp(t, { join: true, clock, settings })
  t.same((await newToken(api)).alg, 'EdDSA')
  const { keys, kids } = await keySet(api)
  t.match(keys, [{ kid: old.kid, alg: 'EdDSA' }, { alg: 'ES256' }])
  t.notOk(kids.includes(discarded ?? ''), 'the next key of the old algorithm never signs')

  clock.advance({ days: 1, minutes: 1 })
  const last = await newToken(api)
  await app.operations.runMaintenance()
  const changed = await newToken(api)
  t.match(changed, { alg: 'ES256', kid: keys[1]?.kid })
  t.match(await api.whoami(changed.accessToken), { status: 200 })
  t.match(
    await api.whoami(last.accessToken),
    { status: 200 },
    'tokens of the old algorithm are valid until they expire',
  )
  t.match((await keySet(api)).keys, [{ alg: 'EdDSA' }, { alg: 'ES256' }, { alg: 'ES256' }])
})
