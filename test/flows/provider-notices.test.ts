// What Apple tells by itself of the accounts there: the upstream provider stands in for it, with its own keys.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import t from 'tap'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import type { Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { registerClient } from '../support/client-tokens.js'
import { PASSWORD, type ProblemBody } from '../support/api.js'
import { startLinking, type Linking } from '../support/social.js'
import { becomes, codeOf } from '../support/verifier.js'

const ADA = 'ada@example.com'
const APPLE = '/v1/auth/social/upstream/notifications'
const refused = { status: 400, body: { code: 'id_token_invalid' } }
const done = { status: 200 }

function startApple(t: Test): Promise<Linking> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ids = { team_id: 'TEAM000001', key_id: 'KEY0000001', client_secret_env: 'APPLE_KEY', audiences: ['ios'] }
  return startLinking(t, {
    entry: { kind: undefined, authoritative: undefined, preset: 'apple', name: 'Apple', ...ids },
    settings: { APPLE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) },
  })
}

/** A notice as Apple signs it: it has no subject of its own, and its event is a text. */
function noticeOf({ upstream, clock }: Linking, event: object, changes: Record<string, unknown> = {}): Promise<string> {
  const events = JSON.stringify({ sub: 'ada', event_time: clock.now().getTime(), ...event })
  const none = {
    sub: undefined,
    exp: undefined,
    email: undefined,
    email_verified: undefined,
    name: undefined,
  }
  const claims: Record<string, unknown> = { ...none, jti: randomUUID(), events, ...changes }
  return upstream.mintIdToken('ada', claims)
}

const send = ({ api }: Linking, payload: unknown, path = APPLE) =>
  api.call<ProblemBody>(path, { method: 'POST', body: { payload } })

const eventsOf = ({ database }: Linking, ...names: string[]) =>
  database.query((client) =>
    client.auditEvent.findMany({ where: { event: { in: names } }, orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  )

t.test(
  'EML-12: an account that was deleted at the provider is unlinked, and its sessions end everywhere',
  async (t) => {
    const app = await startApple(t)
    t.teardown(app.app.revocations.follow())
    const { body } = await app.arrive()
    const token = String(body.access_token)
    const { port } = await connectTo(t, app.app.server)
    const { issuer, audience } = app.config.tokens
    const credential = await registerClient(app, 'orders', '--introspect')
    const verifier = createVerifier({ issuer, audience, url: `http://127.0.0.1:${port}`, clock: app.clock, credential })
    t.teardown(async () => verifier.close())
    await verifier.ready()
    t.equal(await codeOf(verifier, token), null)

    const notice = await noticeOf(app, { type: 'account-delete' })
    t.match(await send(app, notice), done)
    await becomes(verifier, token, 'session_ended')
    const ended = { status: 401, body: { code: 'session_ended', reason: 'identity_unlinked' } }
    t.match(await app.api.refresh(body.refresh_token), ended)
    t.same(await app.count(), { users: 1, identities: 0 })
    const mails = await app.mailbox.deliver()
    t.match(mails, [{ kind: 'identity_unlinked', to: ADA, params: { provider: 'Apple', cause: 'account_deleted' } }])
    t.match(mails[0]?.text, 'Reason: the account at Apple was deleted')
    t.notOk(mails[0]?.params.network, 'the server of the provider is not where the user was')
    const actor = { actorKind: 'client', actorId: 'upstream', userId: body.user.id }
    t.match(await eventsOf(app, 'identity_unlinked', 'provider_notice_received'), [
      { ...actor, event: 'provider_notice_received', detail: { type: 'account_deleted' } },
      { ...actor, event: 'identity_unlinked' },
    ])
  },
)

t.test('EML-12, attack: a notice counts once, and says nothing of a link that was made since', async (t) => {
  const app = await startApple(t)
  const { body } = await app.api.register({ email: 'owner@example.com', password: PASSWORD, mode: 'json' })
  const notice = await noticeOf(app, { type: 'consent-revoked' })
  const late = await noticeOf(app, { type: 'consent-revoked' }, { aud: 'ios' })
  await app.link(body.access_token)
  t.match(await send(app, notice), done)
  t.equal((await app.count()).identities, 0)
  const mails = await app.mailbox.deliver()
  t.match(mails.at(-1), { kind: 'identity_unlinked', params: { cause: 'consent_revoked' } })
  t.match(await app.api.whoami(body.access_token), { status: 200 }, 'a session that it did not open')

  await app.link(body.access_token)
  t.match(await send(app, notice), done, 'its sender may not have got the response')
  t.equal((await app.count()).identities, 1)
  t.match(await app.unlink(body.access_token, (await app.identitiesOf(body.access_token))[0]?.id), { status: 204 })
  app.clock.advance({ minutes: 10 })
  await app.link(body.access_token)
  t.match(await send(app, late), done)
  t.equal((await app.count()).identities, 1)
})

t.test('an account that is not linked, and what this version does not know: nothing changes', async (t) => {
  const app = await startApple(t)
  await app.arrive()
  t.match(await send(app, await noticeOf(app, { type: 'account-delete', sub: 'stranger' })), done)
  t.match(await send(app, await noticeOf(app, { type: 'something-new' })), done)
  t.same(await app.count(), { users: 1, identities: 1 })
  t.match(await eventsOf(app, 'provider_notice_received'), [{ detail: { type: 'other' } }])
})

t.test('the address that a notice tells is noted, and the user is told', async (t) => {
  const app = await startApple(t)
  const { access_token: token } = (await app.arrive()).body
  const email = 'x7f3k@privaterelay.appleid.com'
  t.match(await send(app, await noticeOf(app, { type: 'email-disabled', email: ADA })), done)
  t.match(await app.identitiesOf(token), [{ email: ADA, email_verified: true }])
  t.same(await app.mailbox.deliver(), [])
  t.match(await send(app, await noticeOf(app, { type: 'email-enabled', email, is_private_email: 'true' })), done)
  t.match(await app.identitiesOf(token), [{ email, email_verified: false }])
  t.match(await app.mailbox.deliver(), [{ kind: 'identity_address_changed', params: { provider_account: email } }])
  const types = (await eventsOf(app, 'provider_notice_received')).map(({ detail }) => detail)
  t.match(types, [{ type: 'email_disabled' }, { type: 'email_enabled' }])
})

t.test('EML-14, attack: notices that are not genuine', async (t) => {
  const app = await startApple(t)
  await app.arrive()
  const deletion = { type: 'account-delete' }
  const seconds = Math.floor(app.clock.now().getTime() / 1000)
  const wrong: Record<string, Record<string, unknown>> = {
    'for another client': { aud: 'web' },
    'for another client besides': { aud: [app.upstream.clientId, 'web'] },
    'of another issuer': { iss: 'https://appleid.apple.com' },
    'older than a day': { iat: seconds - 24 * 60 * 60 - 31 },
    // 30 seconds are allowed, and time goes on.
    'from the future': { iat: seconds + 60 },
    expired: { exp: seconds - 31 },
    'without a time': { iat: undefined },
    'without an id': { jti: undefined },
    'without an event': { events: undefined },
    'with an event that is no JSON': { events: '{' },
    'with an event without a subject': { events: '{"type":"account-delete"}' },
  }
  for (const [name, changes] of Object.entries(wrong)) {
    t.match(await send(app, await noticeOf(app, deletion, changes)), refused, name)
  }
  for (const signer of ['other', 'hmac', 'none'] as const) {
    app.upstream.switches.signer = signer
    t.match(await send(app, await noticeOf(app, deletion)), refused, `signed by ${signer}`)
  }
  app.upstream.switches.signer = 'published'
  t.match(await send(app, await app.upstream.mintIdToken('ada')), refused, 'an ID token')
  const body = { id_token: await noticeOf(app, deletion), mode: 'json' }
  const token = '/v1/auth/social/upstream/token'
  t.match(await app.api.call(token, { method: 'POST', body }), refused, 'nor is a notice an ID token')
  t.match(await send(app, 'a.b.c'), refused)
  t.match(await send(app, undefined), { status: 422 })
  t.same(await app.count(), { users: 1, identities: 1 })
  t.match(await eventsOf(app, 'provider_notice_refused'), [{ actorId: null, detail: { code: 'id_token_invalid' } }])

  const notice = await noticeOf(app, deletion)
  t.match(await send(app, notice, APPLE.replace('upstream', 'tenant')), { status: 403, body: { code: 'not_offered' } })
  t.match(await send(app, notice, APPLE.replace('upstream', 'none')), { status: 404, body: { code: 'not_found' } })
})

t.test('a notice that could not be judged, or carried out, counts when the provider repeats it', async (t) => {
  const app = await startApple(t)
  app.upstream.switches.trouble.keys = 'error'
  const unavailable = { status: 503, body: { code: 'provider_unavailable' } }
  t.match(await send(app, await noticeOf(app, { type: 'account-delete' })), unavailable)
  app.upstream.switches.trouble.keys = undefined
  app.clock.advance({ minutes: 2 })

  await app.arrive()
  const notice = await noticeOf(app, { type: 'account-delete' })
  await app.database.query((client) => client.$executeRaw`ALTER TABLE mail RENAME TO mail_away`)
  t.match(await send(app, notice), { status: 500 })
  await app.database.query((client) => client.$executeRaw`ALTER TABLE mail_away RENAME TO mail`)
  t.equal((await app.count()).identities, 1)
  t.match(await send(app, notice), done)
  t.equal((await app.count()).identities, 0)
})

t.test('EML-14: what is not genuine is limited for its network, with other answers of providers', async (t) => {
  const app = await startApple(t)
  for (let count = 0; count < 100; count += 1) await send(app, 'a.b.c')
  t.match(await send(app, 'a.b.c'), { status: 429, body: { code: 'rate_limited' } })
  t.match(await app.arrive(), { status: 429 })
})
