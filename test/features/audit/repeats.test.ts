import t from 'tap'
import { countRepeats, idOfHour, type Repeatable } from '../../../src/features/audit/repeats.js'
import { isUuid } from '../../../src/platform/uuid.js'

const at = new Date('2030-12-01T10:30:00Z')
const refusal: Repeatable = {
  event: 'login_failed',
  actor: { kind: 'user', id: null },
  userId: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  sessionId: null,
  caller: { ip: '192.0.2.1' },
  detail: { limit: 'passwords', wait_seconds: 60 },
}
const id = idOfHour(refusal, at)

t.test('ABU-05: a repetition has the id of the first, and everything else has another', async (t) => {
  const same: [string, Partial<Repeatable>, string?][] = [
    ['a number that differs', { detail: { limit: 'passwords', wait_seconds: 59 } }],
    ['the end of the hour', {}, '2030-12-01T10:59:59.999Z'],
    ['its beginning', {}, '2030-12-01T10:00:00Z'],
  ]
  for (const [name, change, time] of same) t.equal(idOfHour({ ...refusal, ...change }, new Date(time ?? at)), id, name)

  const others: [string, Partial<Repeatable>, string?][] = [
    ['another event', { event: 'login_refused_banned' }],
    ['another kind of actor', { actor: { kind: 'system', id: null } }],
    ['another actor', { actor: { kind: 'user', id: 'ada' } }],
    ['another user', { userId: null }],
    ['a session', { sessionId: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12' }],
    ['another address', { caller: { ip: '192.0.2.2' } }],
    ['another reason', { detail: { limit: 'networks', wait_seconds: 60 } }],
    ['no reason', { detail: {} }],
    ['the next hour', {}, '2030-12-01T11:00:00Z'],
    ['the hour before', {}, '2030-12-01T09:59:59.999Z'],
  ]
  const ids = others.map(([, change, time]) => idOfHour({ ...refusal, ...change }, new Date(time ?? at)))
  t.equal(new Set([id, ...ids]).size, others.length + 1)
})

t.test('ABU-05: the addresses of one IPv6 network are one subject', async (t) => {
  const idFrom = (ip: string | null) => idOfHour({ ...refusal, caller: { ip } }, at)
  t.equal(idFrom('2001:db8:1:2::1'), idFrom('2001:db8:1:2:ffff::9'))
  t.not(idFrom('2001:db8:1:2::1'), idFrom('2001:db8:1:3::1'))
  t.equal(idFrom(null), idFrom('unix:'))
})

t.test('the id is a UUIDv8 that sorts by its hour', async (t) => {
  t.ok(isUuid(id))
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a/)
  t.equal(Number.parseInt(id.slice(0, 13).replace('-', ''), 16), Date.parse('2030-12-01T10:00:00Z'))
})

t.test('events of one id in one statement are one row', async (t) => {
  const counted = countRepeats([
    { id: 'a', ip: 1, times: 1 },
    { id: 'b', ip: 2, times: 1 },
    { id: 'a', ip: 3, times: 1 },
  ])
  t.strictSame(counted, [
    { id: 'a', ip: 1, times: 2 },
    { id: 'b', ip: 2, times: 1 },
  ])
})
