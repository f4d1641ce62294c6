import t from 'tap'
import { createRevocationMap, type RevocationVerdict } from '../../src/wire/revocation-map.js'
import type { ClientClaims, UserClaims } from '../../src/wire/claims.js'
import type { RevocationEntry } from '../../src/wire/revocation.js'

const later = Date.parse('2026-06-01T13:02:00Z') / 1000
const evenLater = Date.parse('2026-06-01T14:02:00Z') / 1000

const session = (sid: string, expiresAt = later): RevocationEntry => ({ kind: 'session', sid, expiresAt })
const user = (sub: string, epoch: number, expiresAt = later): RevocationEntry => ({
  kind: 'user',
  sub,
  epoch,
  expiresAt,
})
const key = (kid: string, expiresAt = later): RevocationEntry => ({ kind: 'key', kid, expiresAt })

const client = (clientId: string, epoch: number, expiresAt = later): RevocationEntry => ({
  kind: 'client',
  clientId,
  epoch,
  expiresAt,
})

/** A token of the user `ada` and the session `one`, with epoch 5. */
const claims: UserClaims = {
  ...{ iss: 'i', aud: 'a', sub: 'ada', sid: 'one', epoch: 5, iat: 0, nbf: 0, exp: 600, jti: 'j', client_id: 'c' },
  ...{ roles: [], scope: '', auth_time: 0, amr: [] },
}

const table: [string, RevocationEntry[], RevocationVerdict][] = [
  ['nothing is revoked', [], 'valid'],
  ['another session', [session('two')], 'valid'],
  ['its session', [session('one')], 'session_ended'],
  ['its session, twice', [session('one'), session('one')], 'session_ended'],
  ['another user', [user('bob', 9)], 'valid'],
  ["a user whose id is the session's", [user('one', 9)], 'valid'],
  ["a session whose id is the user's", [session('ada')], 'valid'],
  ['an earlier epoch of its user', [user('ada', 4)], 'valid'],
  ['its own epoch', [user('ada', 5)], 'valid'],
  ['a later epoch', [user('ada', 6)], 'token_stale'],
  ['a later epoch, then an earlier one', [user('ada', 6), user('ada', 3)], 'token_stale'],
  ['an earlier epoch, then a later one', [user('ada', 3), user('ada', 6)], 'token_stale'],
  ['a later epoch and its session', [user('ada', 6), session('one')], 'session_ended'],
]

t.test('REF-12: which tokens the map refuses', async (t) => {
  for (const [name, entries, verdict] of table) {
    const atOnce = createRevocationMap()
    atOnce.merge(entries)
    t.equal(atOnce.judge(claims), verdict, name)
    const oneByOne = createRevocationMap()
    for (const entry of [...entries, ...entries]) oneByOne.merge([entry])
    t.equal(oneByOne.judge(claims), verdict, `${name}, one by one and again`)
  }
})

const { sid, epoch, auth_time, amr, ...shared } = claims
/** The own token of a client, which is named like the user. */
const ownClaims: ClientClaims = { ...shared, sub: 'ada', client_id: 'ada', client_epoch: 5 }

t.test("a client's token is refused by no entry of a user or a session, whatever its id", async (t) => {
  const map = createRevocationMap()
  map.merge([user('ada', 6), session('ada'), session('undefined')])
  t.equal(map.judge(ownClaims), 'valid')
  t.equal(map.judge({ ...shared, sid, epoch, auth_time, amr }), 'token_stale')
})

const ofClients: [string, RevocationEntry[], RevocationVerdict][] = [
  ['another client', [client('bob', 9)], 'valid'],
  ['an earlier epoch of its client', [client('ada', 4)], 'valid'],
  ['its own epoch', [client('ada', 5)], 'valid'],
  ['a later epoch', [client('ada', 6)], 'token_stale'],
  ['a later epoch, then an earlier one', [client('ada', 6), client('ada', 3, evenLater)], 'token_stale'],
  ['a session and a user with the name of its client', [session('ada'), user('ada', 9)], 'valid'],
]

t.test("REF-12: which of a client's own tokens the map refuses, and which of its users'", async (t) => {
  const ofUser: UserClaims = { ...claims, sub: 'eve', client_id: 'ada', client_epoch: 5 }
  for (const [name, entries, verdict] of ofClients) {
    const map = createRevocationMap()
    map.merge(entries)
    t.equal(map.judge(ownClaims), verdict, name)
    t.equal(map.judge(ofUser), verdict, `${name}, of a user`)
  }
  const map = createRevocationMap()
  map.merge([client('ada', 6)])
  const withoutEpoch: ClientClaims = { ...shared, sub: 'ada', client_id: 'ada' }
  t.equal(map.judge(withoutEpoch), 'token_stale', 'a token without an epoch is older than any')
  t.equal(map.judge({ ...ofUser, sid: 'two', client_epoch: 6 }), 'valid')
  t.equal(map.judge(claims), 'valid', 'a token of another client of the same user')
  map.merge([session('one'), user('eve', 9)])
  t.equal(map.judge({ ...ofUser, client_epoch: 6 }), 'session_ended', 'the session counts too')
  t.equal(map.judge({ ...ofUser, sid: 'two', client_epoch: 6 }), 'token_stale', 'and so does the user')
  map.purge(new Date(later * 1000))
  t.equal(map.judge(ownClaims), 'valid', 'until the entry expires')
})

t.test('expired entries are removed', async (t) => {
  const map = createRevocationMap()
  map.merge([session('one'), user('ada', 6, evenLater)])
  map.purge(new Date(later * 1000 - 1))
  t.equal(map.judge(claims), 'session_ended')
  map.purge(new Date(later * 1000))
  t.equal(map.judge(claims), 'token_stale')
  map.purge(new Date(evenLater * 1000))
  t.equal(map.judge(claims), 'valid')
})

t.test('a weaker entry shortens no known one', async (t) => {
  const map = createRevocationMap()
  map.merge([session('one', evenLater), user('ada', 6, evenLater)])
  map.merge([session('one'), user('ada', 6)])
  map.purge(new Date(later * 1000))
  t.equal(map.judge(claims), 'session_ended')
  t.equal(map.judge({ ...claims, sid: 'two' }), 'token_stale')
})

t.test('REF-12: a lower epoch that expires later does not lower a known one', async (t) => {
  const map = createRevocationMap()
  map.merge([user('ada', 10)])
  // As from an instance whose clock is ahead.
  map.merge([user('ada', 5, evenLater)])
  t.equal(map.judge({ ...claims, epoch: 7 }), 'token_stale')
  map.purge(new Date(later * 1000))
  t.equal(map.judge({ ...claims, epoch: 7 }), 'token_stale', 'nor does it expire earlier')
  t.equal(map.judge({ ...claims, epoch: 10 }), 'valid')
})

t.test('new entries are those stronger than the known ones', async (t) => {
  for (const entry of [session('one'), user('ada', 5), key('k'), client('c', 5)]) {
    const map = createRevocationMap()
    t.strictSame(map.merge([entry, entry]), [entry], `${entry.kind}: twice`)
    t.strictSame(map.merge([{ ...entry, expiresAt: later - 1 }]), [], `${entry.kind}: for less long`)
    const longer = { ...entry, expiresAt: evenLater }
    t.strictSame(map.merge([longer]), [longer], `${entry.kind}: for longer`)
    t.equal(map.position, 2)
  }
  const map = createRevocationMap()
  map.merge([user('ada', 5)])
  t.strictSame(map.merge([user('ada', 4)]), [])
  t.strictSame(map.merge([user('ada', 6)]), [user('ada', 6)])
})

t.test('the tokens of a key are stale until its entry expires', async (t) => {
  const map = createRevocationMap()
  map.merge([key('k'), session('one'), user('ada', 6)])
  t.strictSame(
    ['k', 'one', 'ada'].map((kid) => map.isWithdrawn(kid)),
    [true, false, false],
  )
  map.purge(new Date(later * 1000))
  t.equal(map.isWithdrawn('k'), false)
})

t.test('entries after a position are returned oldest first', async (t) => {
  const map = createRevocationMap()
  t.strictSame([map.position, map.size, map.entriesAfter(0)], [0, 0, []])
  const entries = [key('k'), user('ada', 6), session('one'), client('c', 1), session('two'), key('l')]
  for (const [index, entry] of entries.entries()) {
    map.merge([entry])
    t.equal(map.position, index + 1)
  }
  t.equal(map.size, 6)
  for (let position = 0; position <= 6; position += 1) {
    t.strictSame(map.entriesAfter(position), entries.slice(position), `after ${position}`)
  }
  map.merge([user('ada', 7)])
  t.strictSame(map.entriesAfter(5), [key('l'), user('ada', 7)], 'a stronger entry counts as new')
  t.equal(map.size, 6)
})
