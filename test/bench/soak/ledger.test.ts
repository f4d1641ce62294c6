// Verdicts of the ledger of the soak test on made-up responses, especially bad ones.

import t from 'tap'
import { createOutages } from '../../../bench/soak/faults.js'
import * as ledger from '../../../bench/soak/ledger.js'
import type { Account, Body, Heard, Session, StoredFamily } from '../../../bench/soak/ledger.js'
import { isFlat, trendOf } from '../../../bench/soak/memory.js'

const unknown: Heard = { kind: 'unknown' }
const heard = (status: number, body: Body = {}, at = 0): Heard => ({ kind: 'answer', status, body, at })
const refused = (code: string, at = 0) => heard(401, { code }, at)

function tokenOf(generation: number): string {
  const bytes = Buffer.alloc(53)
  bytes.writeUInt32BE(generation, 33)
  return `spr_${bytes.toString('base64url')}`
}

function reply(id: string, generation: number): Body {
  return { session: { id }, access_token: `access-${generation}`, refresh_token: tokenOf(generation) }
}

/** An account with this number of live sessions. */
function accountWith(...ids: string[]): Account & { sessions: [Session, ...Session[]] } {
  const account = ledger.openAccount('ada@example.com', 'old')
  t.strictSame(ledger.noteRegistration(account, heard(201, reply(ids[0] ?? 'a', 0))), [])
  for (const id of ids.slice(1)) t.strictSame(ledger.noteLogin(account, heard(200, reply(id, 0))), [])
  return account as Account & { sessions: [Session, ...Session[]] }
}

t.test('a registration without a response may have been carried out', async (t) => {
  const account = ledger.openAccount('ada@example.com', 'old')
  t.match(ledger.noteRegistration(account, heard(409, { code: 'email_taken' })), [
    /A registration was answered with 409/,
  ])
  t.strictSame(ledger.noteRegistration(account, unknown), [])
  t.notOk(account.registered)
  t.strictSame(ledger.noteRegistration(account, heard(409, { code: 'email_taken' })), [])
  t.ok(account.registered)
})

t.test('a registered user can sign in', async (t) => {
  const account = accountWith('a')
  t.match(ledger.noteLogin(account, refused('invalid_credentials')), [/acknowledged password was answered with 401/])
  t.match(ledger.noteLogin(account, heard(200)), ['A sign-in returned no tokens.'])
})

t.test('a live session refreshes, one generation at a time', async (t) => {
  const [session] = accountWith('a').sessions
  t.strictSame(ledger.noteRefresh(session, heard(200, reply('a', 1))), [])
  t.strictSame(ledger.noteRefresh(session, unknown), [])
  t.match(session, { generation: 1, accessToken: 'access-1' })
  t.match(ledger.noteRefresh(session, refused('session_ended')), [/live session was answered with 401 session_ended/])
  t.match(ledger.noteRefresh(session, heard(409, { code: 'refresh_superseded' })), [/409/])
  t.match(ledger.noteRefresh(session, heard(200, reply('b', 2))), [/another session/])
  t.match(ledger.noteRefresh(session, heard(200, reply('a', 1))), [/generation 1 instead of 2/], 'a rotation is lost')
})

t.test('an ended session stays ended', async (t) => {
  const [session] = accountWith('a').sessions
  t.strictSame(ledger.noteLogout(session, unknown), [])
  t.equal(session.endedAt, null, 'until the logout is acknowledged, the session may be live')
  t.strictSame(ledger.noteLogout(session, heard(204, {}, 1000)), [])
  t.strictSame(ledger.noteRefresh(session, refused('session_ended')), [])
  t.match(ledger.noteRefresh(session, heard(200, reply('a', 1))), [/ended session was answered with 200/])
  t.strictSame(
    ledger.noteWhoami(session, heard(200, { sid: 'a' }, 1500)),
    [],
    'a revocation needs a moment to take effect',
  )
  t.match(ledger.noteWhoami(session, heard(200, { sid: 'a' }, 9000)), [/accepted 8000 ms after/])
})

t.test('an access token of a live session is accepted until it expires', async (t) => {
  const [session] = accountWith('a').sessions
  t.strictSame(ledger.noteWhoami(session, heard(200, { sid: 'a' })), [])
  t.match(ledger.noteWhoami(session, heard(200, { sid: 'b' })), [/another session/])
  t.match(ledger.noteWhoami(session, refused('token_expired', 1000)), [/401 token_expired/])
  t.strictSame(ledger.noteWhoami(session, refused('token_expired', 600_000)), [])
  t.match(ledger.noteWhoami(session, refused('token_stale')), [/401 token_stale/])
})

t.test('a password change ends the other sessions, and persists', async (t) => {
  const account = accountWith('a', 'b')
  const [session, other] = account.sessions
  account.nextPassword = 'new'
  t.strictSame(ledger.notePasswordChange(account, session, unknown, false), [])
  t.equal(account.password, 'old')
  t.match(ledger.notePasswordChange(account, session, refused('invalid_credentials'), false), [/401/])
  t.strictSame(ledger.notePasswordChange(account, session, refused('invalid_credentials', 5), true), [])
  t.match(account, { password: 'new', nextPassword: null })
  t.match(session, { endedAt: null, stale: true })
  t.equal(other?.endedAt, 5)
  t.strictSame(ledger.noteWhoami(session, refused('token_stale')), [])
})

t.test('a list contains exactly the live sessions', async (t) => {
  const account = accountWith('a', 'b')
  ledger.noteLogout(account.sessions[0], heard(204))
  t.strictSame(ledger.noteList(account, heard(200, { sessions: [{ id: 'b' }, { id: 'unheard' }] })), [])
  t.match(ledger.noteList(account, heard(200, { sessions: [{ id: 'a' }] })), [/a is listed/, /b is not listed/])
  t.match(ledger.noteList(account, refused('session_ended')), [/A list of sessions was answered with 401/])
})

t.test('the stored state is the acknowledged state', async (t) => {
  const account = accountWith('a', 'b')
  ledger.noteRefresh(account.sessions[0], heard(200, reply('a', 1)))
  ledger.noteLogout(account.sessions[1] ?? account.sessions[0], heard(204))
  const users = new Set([account.email])
  const compare = (...families: StoredFamily[]) =>
    ledger.compareWithStored(account, { users, families: new Map(families.map((family) => [family.id, family])) })

  const a = { id: 'a', generation: 1, ended: false }
  const b = { id: 'b', generation: 0, ended: true }
  t.strictSame(compare(a, b), [])
  t.match(compare(b), ['Session a is lost.'])
  t.match(compare({ ...a, generation: 0 }, b), ['Session a is at generation 0; 1 was acknowledged.'])
  t.match(compare({ ...a, generation: 2 }, b), [/generation 2/], 'no other refresh was requested')
  t.match(compare({ ...a, ended: true }, b), ['Session a ended without a cause.'])
  t.match(compare(a, { ...b, ended: false }), ['The end of session b is lost.'])
  account.sessions[0].attempt = 'key'
  t.strictSame(compare({ ...a, generation: 2 }, b), [], 'one refresh has no response')
  users.clear()
  t.match(compare(a, b), ['The user ada@example.com is lost.'])
})

t.test('an outage explains its own errors, until shortly afterwards', async (t) => {
  let now = 1000
  const outages = createOutages(() => now)
  await outages.during('postgres', async () => {
    t.ok(outages.explainRefusal(1500))
    t.notOk(outages.explainBroken('instance 1', 1500), 'but not those of other instances')
    now = 3000
  })
  t.notOk(outages.explainRefusal(999))
  t.ok(outages.explainRefusal(7000))
  t.notOk(outages.explainRefusal(9000))
})

t.test('steadily growing memory is distinguished from fluctuating memory', async (t) => {
  const samples = (mibAt: (index: number) => number) =>
    Array.from({ length: 200 }, (_, index) => ({ atMs: index * 5000, mib: mibAt(index) }))
  const verdict = (mibAt: (index: number) => number) => {
    const trend = trendOf(samples(mibAt), 100_000)
    return trend && isFlat(trend)
  }
  t.equal(
    verdict(() => 200),
    true,
  )
  t.equal(
    verdict((index) => 200 + 15 * (index % 2)),
    true,
  )
  t.equal(
    verdict((index) => (index < 20 ? 100 + 5 * index : 200)),
    true,
    'the warm-up does not count',
  )
  t.equal(
    verdict((index) => 200 + index / 4),
    false,
  )
  // From the 20th sample to the 199th.
  const risingBy = (mib: number) => (index: number) => 46 + (mib * index) / 179
  t.equal(verdict(risingBy(7)), true)
  t.equal(verdict(risingBy(9)), false)
  t.equal(trendOf(samples(() => 1).slice(0, 100), 100_000), null)
  t.match(
    trendOf(
      samples((index) => 200 + index),
      0,
    ),
    { mibPerHour: 720 },
  )
})
