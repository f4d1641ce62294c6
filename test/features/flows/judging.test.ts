import t from 'tap'
import { flowKinds, livesOf } from '../../../src/features/flows/kinds.js'
import { refusalOf, type FlowOutcome, type FlowRefusal, type FlowState } from '../../../src/features/flows/judging.js'

const now = new Date('2026-01-01T12:00:00Z')
const earlier = new Date(now.getTime() - 1)
const later = new Date(now.getTime() + 1)

const open: FlowState = { kind: 'otp', attempts: 0, expiresAt: later, endedAt: null, outcome: null }
const ended = (outcome: FlowOutcome, attempts = 0) => ({ ...open, endedAt: earlier, outcome, attempts })

t.test('a flow is open, or refused for one reason', async (t) => {
  const cases: [string, FlowState, FlowRefusal | null][] = [
    ['open', open, null],
    ['open at its last try', { ...open, attempts: 4 }, null],
    ['in the last millisecond', { ...open, expiresAt: later }, null],
    ['at its end', { ...open, expiresAt: now }, 'expired'],
    ['past its end', { ...open, expiresAt: earlier }, 'expired'],
    ['without a try left', { ...open, attempts: 5 }, 'too_many_attempts'],
    ['done', ended('done'), 'used'],
    ['done, and past its end', { ...ended('done'), expiresAt: earlier }, 'used'],
    ['superseded', ended('superseded'), 'superseded'],
    ['cancelled', ended('cancelled'), 'expired'],
    ['ended by wrong codes', ended('too_many_attempts', 5), 'too_many_attempts'],
    ['of another kind', { ...open, kind: 'register' }, 'expired'],
    ['of another kind, and done', { ...ended('done'), kind: 'register' }, 'expired'],
  ]
  for (const [name, flow, refusal] of cases) t.equal(refusalOf(flow, ['otp', 'verify_email'], now), refusal, name)
})

t.test('TOK-15: a flow is open for its own kind alone', async (t) => {
  for (const kind of flowKinds) {
    for (const other of flowKinds) {
      t.equal(refusalOf({ ...open, kind }, [other], now), kind === other ? null : 'expired', `${kind} for ${other}`)
    }
  }
})

t.test('EML-03: how long flows live', async (t) => {
  const lives = livesOf({ resetSeconds: 600, undoSeconds: 604_800, factorResetSeconds: 0 })
  t.match(lives.otp, { seconds: 600, maxSeconds: 3600, hasCode: true })
  t.match(lives.reset_password, { seconds: 600, maxSeconds: 3600, hasCode: true })
  for (const kind of ['register', 'verify_email', 'email_change'] as const) {
    t.match(lives[kind], { seconds: 86_400, maxSeconds: 86_400, hasCode: true })
  }
  for (const kind of ['invitation', 'email_undo', 'not_me'] as const) t.match(lives[kind], { hasCode: false })
  t.match(livesOf({ resetSeconds: 3600, undoSeconds: 0, factorResetSeconds: 0 }).reset_password, {
    seconds: 3600,
    maxSeconds: 3600,
  })
})
