import t from 'tap'
import type { EndReason } from '../../../src/wire/end-reason.js'
import {
  endOf,
  judge,
  judgeRenewal,
  type JudgedFamily,
  type RotationSettings,
  type Presented,
  type RenewalVerdict,
  type Verdict,
} from '../../../src/features/families/rotation.js'

const start = Date.UTC(2026, 0, 1)
const at = (seconds: number) => new Date(start + seconds * 1000)
const hash = (letter: string) => Buffer.alloc(32, letter)
const keyed = (letter: string) => ({ hash: hash(letter), keyed: true })
const keyless = (letter: string) => ({ hash: hash(letter), keyed: false })

const limits: RotationSettings = {
  idleSeconds: { cookie: 1000, json: 2000, session: 1000, client: 2000 },
  graceSeconds: 10,
}
const noGrace: RotationSettings = { ...limits, graceSeconds: 0 }

/** Rotated to its fifth generation at 100 s, by an attempt without a key; expires at 5000 s. */
const family: JudgedFamily = {
  mode: 'json',
  clientId: 'sallyport',
  jkt: null,
  generation: 5,
  attempt: keyless('a'),
  rotatedAt: at(100),
  lateGeneration: null,
  lastUsedAt: at(100),
  expiresAt: at(5000),
  ended: null,
  userId: 'ada',
  banned: false,
  parent: null,
}
/** The same, but at its twentieth generation. */
const older: JudgedFamily = { ...family, generation: 20 }
const byKey: JudgedFamily = { ...family, attempt: keyed('k') }
const banned: JudgedFamily = { ...family, banned: true }
const ended = { at: at(90), reason: 'logout' } as const
const endedFamily: JudgedFamily = { ...family, ended }
const newFamily: JudgedFamily = { ...family, generation: 0, attempt: null, rotatedAt: null }
const adopted: JudgedFamily = { ...family, attempt: null, rotatedAt: null }

const clientId = 'sallyport'
const token = (generation: number, attempt = keyless('z')): Presented => ({
  generation,
  modes: ['json'],
  clientId,
  jkt: null,
  lostAnswer: 'grace',
  attempt,
})
const cookie = (generation: number): Presented => ({ ...token(generation), modes: ['cookie', 'session'] })

/** A family of an OAuth client, of the same generation. */
const app: JudgedFamily = { ...family, mode: 'client', clientId: 'app' }
const bound: JudgedFamily = { ...app, jkt: 'its key' }
const appToken = (generation: number, attempt = keyless('z')): Presented => ({
  ...token(generation, attempt),
  modes: ['client'],
  clientId: 'app',
})
const keyProven = (generation: number, jkt: string | null): Presented => ({ ...appToken(generation), jkt })
/** Of a client whose lost answers are given again until they are used. */
const untilUsed = (generation: number, attempt = keyless('z')): Presented => ({
  ...appToken(generation, attempt),
  lostAnswer: 'until_used',
})
const answeredLate = (lateGeneration: number): JudgedFamily => ({ ...app, lateGeneration })

const rotate: Verdict = { outcome: 'rotate', ahead: false }
const ahead: Verdict = { outcome: 'rotate', ahead: true }
const replay: Verdict = { outcome: 'replay' }
const superseded: Verdict = { outcome: 'superseded' }
const reuse: Verdict = { outcome: 'reuse' }
const wrongMode: Verdict = { outcome: 'wrong_mode' }
const wrongClient: Verdict = { outcome: 'wrong_client' }
const wrongKey: Verdict = { outcome: 'wrong_key' }
const lateReplay: Verdict = { outcome: 'late_replay' }
const endedBy = (reason: EndReason): Verdict => ({ outcome: 'ended', reason })

type Case = [what: string, JudgedFamily, Presented, seconds: number, Verdict, RotationSettings?]

const cases: Record<string, Case[]> = {
  'REF-18: a wrong mode takes precedence over everything else': [
    ['a live family', family, cookie(5), 101, wrongMode],
    ['an old generation', family, cookie(1), 101, wrongMode],
    ['an ended family', endedFamily, cookie(5), 101, wrongMode],
    ['also of another client', { ...family, clientId: 'other' }, cookie(5), 101, wrongMode],
    ['both modes of one transport', { ...family, mode: 'session' }, cookie(5), 101, rotate],
  ],
  'a token is bound to the client to which it was issued': [
    ['the current one', { ...family, clientId: 'other' }, token(5), 101, wrongClient],
    ['an old generation', { ...family, clientId: 'other' }, token(1), 101, wrongClient],
    ['one ahead', { ...family, clientId: 'other' }, token(6), 101, wrongClient],
    ['an ended family', { ...endedFamily, clientId: 'other' }, token(5), 101, wrongClient],
    ['presented by another client', family, { ...token(5), clientId: 'other' }, 101, wrongClient],
  ],

  'first-party tokens and those of OAuth clients never pass through the door of the other': [
    ['a client’s in a body', app, token(5), 101, wrongMode],
    ['a client’s in a cookie', app, cookie(5), 101, wrongMode],
    ['a client’s spent one in a body', app, token(1), 500, wrongMode],
    ['a client’s in a body, in its name', app, { ...token(5), clientId: 'app' }, 101, wrongMode],
    ['one of mode json, from a client', family, { ...appToken(5), clientId }, 101, wrongMode],
    ['one of a cookie, from a client', { ...family, mode: 'cookie' }, { ...appToken(5), clientId }, 101, wrongMode],
    [
      'one of mode session, from a client',
      { ...family, mode: 'session' },
      { ...appToken(5), clientId },
      101,
      wrongMode,
    ],
    ['another client’s', { ...app, clientId: 'other' }, appToken(5), 101, wrongClient],
    ['another client’s spent one', { ...app, clientId: 'other' }, appToken(1), 500, wrongClient],
    ['its own', app, appToken(5), 101, rotate],
  ],
  'a token that is bound to a key needs its proof (RFC 9449, section 5)': [
    ['its key', bound, keyProven(5, 'its key'), 101, rotate],
    ['no key', bound, keyProven(5, null), 101, wrongKey],
    ['another key', bound, keyProven(5, 'another'), 101, wrongKey],
    ['a spent token without the key ends nothing', bound, keyProven(1, null), 500, wrongKey],
    ['a key that nothing asks for', app, keyProven(5, 'its key'), 101, rotate],
    ['the client comes first', { ...bound, clientId: 'other' }, keyProven(5, null), 101, wrongClient],
    ['before the end', { ...bound, ended }, keyProven(5, null), 101, wrongKey],
  ],
  'lost_answer until_used: the same successor again, until that was presented': [
    ['long after the grace period', app, untilUsed(4), 2099, lateReplay],
    ['just after it', app, untilUsed(4), 110.001, lateReplay],
    ['within it, as for every client', app, untilUsed(4), 110, replay],
    ['without a grace period', app, untilUsed(4), 100, lateReplay, noGrace],
    ['as often as it takes', answeredLate(4), untilUsed(4), 2000, lateReplay],
    ['after an earlier one that was answered late', answeredLate(2), untilUsed(4), 500, lateReplay],
    ['the successor was presented', app, untilUsed(3), 500, reuse],
    ['the successor was presented, and lost, within the grace period', app, untilUsed(3), 101, superseded],
    ['the token before it was answered late too: two hold a copy', answeredLate(3), untilUsed(4), 500, reuse],
    ['but within the grace period it may be a race', answeredLate(3), untilUsed(4), 101, replay],
    ['a client that knows keys', app, untilUsed(4, keyed('q')), 500, reuse],
    ['after a rotation with a key', { ...app, attempt: keyed('k') }, untilUsed(4), 500, reuse],
    [
      'after a generation without a known rotation',
      { ...app, attempt: null, rotatedAt: null },
      untilUsed(4),
      500,
      reuse,
    ],
    ['a client with lost_answer grace', app, appToken(4), 500, reuse],
    ['the current one', answeredLate(4), untilUsed(5), 500, rotate],
  ],

  'an ended family takes precedence over the generation': [
    ['the current token', endedFamily, token(5), 101, endedBy('logout')],
    ['the second previous token', endedFamily, token(3), 101, endedBy('logout')],
    ['one from the future', endedFamily, token(9), 101, endedBy('logout')],
    ['the same attempt', { ...byKey, ended }, token(4, keyed('k')), 101, endedBy('logout')],
    ['the second previous token of a banned user', banned, token(3), 101, endedBy('banned')],
    ['the second previous token of an idle family', family, token(3), 2100, endedBy('idle')],
  ],
  'the current generation rotates, and so does one ahead of it': [
    ['without a key', family, token(5), 101, rotate],
    ['with a key', family, token(5, keyed('q')), 101, rotate],
    ['with the key of the last rotation', byKey, token(5, keyed('k')), 101, rotate],
    ['the first one', newFamily, token(0), 101, rotate],
    ['just before the idle expiry', family, token(5), 2099.999, rotate],
    ['REF-23: one ahead', family, token(6), 101, ahead],
    ['REF-23: many ahead', family, token(4_000_000_000), 101, ahead],
  ],
  'REF-04, REF-08: the same attempt gets the same successor': [
    ['the same key, immediately', byKey, token(4, keyed('k')), 100, replay],
    ['the same key, long after the grace period', byKey, token(4, keyed('k')), 2099, replay],
    ['the same key, without a grace period', byKey, token(4, keyed('k')), 2099, replay, noGrace],
    ['neither has a key, immediately', family, token(4), 100, replay],
    ['neither has a key, at the end of the grace period', family, token(4), 110, replay],
    ['the server retries its own attempt after the grace period', family, token(4, keyless('a')), 500, replay],
    ['the server retries its own attempt without a grace period', family, token(4, keyless('a')), 101, replay, noGrace],
  ],
  'REF-04: another attempt gets 409 within the grace period': [
    ['another key', byKey, token(4, keyed('q')), 100, superseded],
    ['another key at the end of the grace period', byKey, token(4, keyed('q')), 110, superseded],
    ['a key after a rotation without one', family, token(4, keyed('q')), 101, superseded],
    ['no key after a rotation with one', byKey, token(4), 101, superseded],
  ],
  'REF-03: anything else is reuse': [
    ['another key after the grace period', byKey, token(4, keyed('q')), 110.001, reuse],
    ['another key without a grace period', byKey, token(4, keyed('q')), 100, reuse, noGrace],
    ['no key after a rotation with one, after the grace period', byKey, token(4), 111, reuse],
    ['no key after a rotation with one, without a grace period', byKey, token(4), 100, reuse, noGrace],
    ['neither has a key, after the grace period', family, token(4), 110.001, reuse],
    ['neither has a key, immediately, without a grace period', family, token(4), 100, reuse, noGrace],
    ['the one before a generation without a known rotation', adopted, token(4), 100, reuse],
  ],
  'REF-04: a token that several rotations have overtaken gets 409 too': [
    ['the second previous token, immediately', family, token(3), 100, superseded],
    ['the second previous token, at the end of the grace period', family, token(3), 110, superseded],
    ['the eighth previous token', older, token(12), 100, superseded],
  ],
  'REF-05: the second previous token is never the same attempt, with any key': [
    ['the key of the last rotation, within the grace period', byKey, token(3, keyed('k')), 100, superseded],
    ['the key of the last rotation, after the grace period', byKey, token(3, keyed('k')), 110.001, reuse],
    ["the server's own attempt, within the grace period", family, token(3, keyless('a')), 100, superseded],
    ["the server's own attempt, after the grace period", family, token(3, keyless('a')), 110.001, reuse],
  ],
  'REF-05: the second previous token is reuse after the grace period, and immediately if it is far behind': [
    ['after the grace period', family, token(3), 110.001, reuse],
    ['without a grace period', family, token(3), 100, reuse, noGrace],
    ['the first token after the grace period', family, token(0), 110.001, reuse],
    ['the ninth previous token, immediately', older, token(11), 100, reuse],
    ['the first token of many, immediately', older, token(0), 100, reuse],
  ],
}

for (const [rule, rows] of Object.entries(cases)) {
  t.test(rule, async (t) => {
    for (const [what, subject, presented, seconds, verdict, rules = limits] of rows) {
      t.strictSame(judge(subject, presented, rules, at(seconds)), verdict, what)
    }
  })
}

t.test('REF-11: a family expires at the earlier of its two limits, and a stored end takes precedence', async (t) => {
  const table: [string, JudgedFamily, number, ReturnType<typeof endOf>][] = [
    ['it is active', family, 101, null],
    ['just before the idle expiry', family, 2099.999, null],
    ['exactly at the idle expiry', family, 2100, 'idle'],
    ['each mode has its own idle time', { ...family, mode: 'cookie' }, 1100, 'idle'],
    ['used again', { ...family, lastUsedAt: at(3000) }, 4999.999, null],
    ['exactly at the absolute expiry, despite use', { ...family, lastUsedAt: at(4999) }, 5000, 'expired'],
    ['the absolute expiry takes precedence over the idle expiry', family, 5000, 'expired'],
    ['a ban', banned, 101, 'banned'],
    ['its user was deleted', { ...family, userId: null }, 101, 'deleted'],
    ['the idle expiry takes precedence over a ban', banned, 2100, 'idle'],
    ['a stored end takes precedence over a ban', { ...banned, ended }, 101, 'logout'],
    ['a stored end takes precedence over the absolute expiry', { ...family, ended }, 5000, 'logout'],
  ]
  for (const [what, subject, seconds, reason] of table) t.equal(endOf(subject, limits, at(seconds)), reason, what)
})

t.test('a family ends with its parent, by what was written there and by time', async (t) => {
  const parent = { mode: 'session', lastUsedAt: at(100), expiresAt: at(5000), ended: null } as const
  const child: JudgedFamily = { ...app, parent }
  const table: [string, JudgedFamily, number, ReturnType<typeof endOf>][] = [
    ['while the parent lives', child, 1099.999, null],
    ['the parent is idle, which it is sooner', child, 1100, 'idle'],
    ['the parent has ended', { ...child, parent: { ...parent, ended } }, 101, 'logout'],
    ['the parent has expired', { ...child, parent: { ...parent, expiresAt: at(200) } }, 200, 'expired'],
    ['the parent was purged', { ...child, parent: 'gone' }, 101, 'expired'],
    ['its own end comes first', { ...child, ended, parent: 'gone' }, 101, 'logout'],
    ['a ban comes first', { ...child, banned: true, parent: 'gone' }, 101, 'banned'],
    ['a deletion comes first', { ...child, userId: null, parent: 'gone' }, 101, 'deleted'],
    ['without a parent', app, 1500, null],
  ]
  for (const [what, subject, seconds, reason] of table) {
    t.equal(endOf(subject, limits, at(seconds)), reason, what)
    const verdict = judge(subject, appToken(5), limits, at(seconds))
    t.strictSame(verdict, reason === null ? rotate : { outcome: 'ended', reason }, what)
  }
})

t.test(
  'a renewal in mode session accepts the current generation and, within the grace period, the previous one',
  async (t) => {
    const session: JudgedFamily = { ...family, mode: 'session' }
    const renewed: RenewalVerdict = { outcome: 'renew', ahead: false }
    const table: [string, JudgedFamily, number, number, RotationSettings, RenewalVerdict][] = [
      ['the current one', session, 5, 500, limits, renewed],
      ['REF-23: one ahead', session, 6, 500, limits, { outcome: 'renew', ahead: true }],
      ['the previous one, at the end of the grace period', session, 4, 110, limits, renewed],
      ['the previous one, after the grace period', session, 4, 110.001, limits, { outcome: 'reuse' }],
      ['the previous one, without a grace period', session, 4, 100, noGrace, { outcome: 'reuse' }],
      ['the previous one, after a rotation with a key', { ...session, attempt: keyed('k') }, 4, 105, limits, renewed],
      ['REF-05: the second previous token', session, 3, 100, limits, { outcome: 'reuse' }],
      ['REF-18: another mode', { ...family, mode: 'cookie' }, 5, 101, limits, { outcome: 'wrong_mode' }],
      ['REF-18: another mode, ended', { ...family, mode: 'cookie', ended }, 5, 101, limits, { outcome: 'wrong_mode' }],
      [
        'REF-18: another mode, an old generation',
        { ...family, mode: 'json' },
        1,
        101,
        limits,
        { outcome: 'wrong_mode' },
      ],
      ['a client’s', app, 5, 101, limits, { outcome: 'wrong_mode' }],
      ['a client’s spent one', app, 1, 500, limits, { outcome: 'wrong_mode' }],
      ['another client', { ...session, clientId: 'other' }, 5, 101, limits, { outcome: 'wrong_client' }],
      ['another client, ended', { ...session, clientId: 'other', ended }, 5, 101, limits, { outcome: 'wrong_client' }],
      ['an ended one', { ...session, ended }, 3, 101, limits, { outcome: 'ended', reason: 'logout' }],
      ['an idle one', session, 5, 1100, limits, { outcome: 'ended', reason: 'idle' }],
      ['past its absolute expiry', session, 5, 5000, limits, { outcome: 'ended', reason: 'expired' }],
      ['of a banned user', { ...session, banned: true }, 5, 101, limits, { outcome: 'ended', reason: 'banned' }],
    ]
    for (const [what, subject, generation, seconds, rules, verdict] of table) {
      t.strictSame(judgeRenewal(subject, { generation, clientId }, rules, at(seconds)), verdict, what)
    }
  },
)
