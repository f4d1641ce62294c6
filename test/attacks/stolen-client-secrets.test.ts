// A client's secret was stolen, or the client itself is not trusted any more: the operator withdraws the secret or disables
// the client, and what was obtained with it is refused everywhere.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import type { Client } from '../../src/features/clients/clients.js'
import { startApp, type TestApp } from '../support/app.js'
import { addSecret, issueToken, ownClaims, registerClient } from '../support/client-tokens.js'
import { connectTo } from '../support/client.js'
import { readAllRows } from '../support/rows.js'
import { becomes, codeOf } from '../support/verifier.js'

const operate = ({ app }: TestApp, name: string, ...args: string[]) =>
  runCommand(app.operator, name, ['--client-id', 'billing', ...args])

/** As at the token endpoint: the secret is checked, and the token has the epoch of the client that it belongs to. */
async function obtainToken(app: TestApp, secret: string): Promise<{ own: string; ofUser: string }> {
  const client: Client | null = await app.app.operator.clients.authenticate('billing', secret)
  if (client === null) throw new Error('The client is refused.')
  const { clientId, epoch } = client
  return {
    own: await issueToken(app, ownClaims(clientId, epoch)),
    ofUser: await issueToken(app, { client_id: clientId, client_epoch: epoch }),
  }
}

async function start(t: Parameters<typeof connectTo>[0] & Parameters<typeof startApp>[0]) {
  const app = await startApp(t)
  t.teardown(app.app.revocations.follow())
  const first = await registerClient(app, 'billing', '--grant-types', 'client_credentials')
  const { issuer, audience } = app.config.tokens
  const { port } = await connectTo(t, app.app.server)
  const verifier = createVerifier({
    ...{ issuer, audience, url: `http://127.0.0.1:${port}`, clock: app.clock },
    // A verifier that is itself a client.
    credential: await registerClient(app, 'orders', '--introspect'),
    onStale: 'deny',
  })
  t.teardown(async () => verifier.close())
  await verifier.ready()
  return { app, first, verifier }
}

t.test(
  'REF-12: the tokens of a withdrawn secret are refused by every verifier, and those of the new one are not',
  async (t) => {
    const { app, first, verifier } = await start(t)
    const stolen = await obtainToken(app, first)
    const second = await addSecret(app, 'billing')
    for (const token of Object.values(stolen)) t.equal(await codeOf(verifier, token), null)

    await operate(app, 'client:rotate-secret', '--withdraw-old')
    for (const token of Object.values(stolen)) await becomes(verifier, token, 'token_stale')
    await t.rejects(obtainToken(app, first), { message: /refused/ })
    // The clock of the tokens stands in the same second.
    const fresh = await obtainToken(app, second)
    for (const token of Object.values(fresh)) t.equal(await codeOf(verifier, token), null)
  },
)

t.test('REF-12: the tokens of a disabled client are refused, also after it is enabled again', async (t) => {
  const { app, first, verifier } = await start(t)
  const before = await obtainToken(app, first)
  for (const token of Object.values(before)) t.equal(await codeOf(verifier, token), null)
  await operate(app, 'client:disable')
  for (const token of Object.values(before)) await becomes(verifier, token, 'token_stale')
  await t.rejects(obtainToken(app, first), { message: /refused/ })

  await operate(app, 'client:enable')
  const after = await obtainToken(app, first)
  for (const token of Object.values(after)) t.equal(await codeOf(verifier, token), null)
  for (const token of Object.values(before)) t.equal(await codeOf(verifier, token), 'token_stale')
})

t.test('REF-12: an instance that has not heard of the withdrawal issues no token that outlives it', async (t) => {
  const { app, first, verifier } = await start(t)
  const late = await startApp(t, { join: true, clock: app.clock })
  await obtainToken(late, first)
  await addSecret(app, 'billing')
  await operate(app, 'client:rotate-secret', '--withdraw-old')
  const stolen = await obtainToken(late, first)
  for (const token of Object.values(stolen)) await becomes(verifier, token, 'token_stale')
  await late.app.revocations.poll()
  await t.rejects(obtainToken(late, first), { message: /refused/ })
})

t.test('REF-12: a client that takes the id of one that was removed does not revive its tokens', async (t) => {
  const { app, first, verifier } = await start(t)
  const before = await obtainToken(app, first)
  await operate(app, 'client:remove')
  for (const token of Object.values(before)) await becomes(verifier, token, 'token_stale')
  const again = await registerClient(app, 'billing', '--grant-types', 'client_credentials')
  for (const token of Object.values(await obtainToken(app, again))) t.equal(await codeOf(verifier, token), null)
  for (const token of Object.values(before)) t.equal(await codeOf(verifier, token), 'token_stale')
  await t.rejects(obtainToken(app, first), { message: /refused/ })
})

t.test('no secret of a client is in the database', async (t) => {
  const { app, first } = await start(t)
  const second = await addSecret(app, 'billing')
  const rows = await readAllRows(app.database)
  const dump = JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  t.match(dump, /billing/)
  for (const secret of [first, second]) t.notOk(dump.includes(secret) || dump.includes(secret.slice(4)))
})
