// Verdicts of the soak test on mails and their codes, on made-up responses, especially bad ones.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import * as ledger from '../../../bench/soak/ledger.js'
import type { Body, Heard } from '../../../bench/soak/ledger.js'
import { compareMailsWithStored } from '../../../bench/soak/mail-check.js'
import { flowIdOf } from '../../../bench/soak/post-office.js'

const unknown: Heard = { kind: 'unknown' }
const heard = (status: number, body: Body = {}): Heard => ({ kind: 'answer', status, body, at: 5 })
const refused = (reason: string) => heard(401, { code: 'flow_invalid', reason })
const tokens = { session: { id: 'a' }, access_token: 'access', refresh_token: 'spr_x' }
const tokenOf = (prefix: string, id: Buffer) => prefix + Buffer.concat([id, randomBytes(32)]).toString('base64url')

function accountWith(kind: ledger.MailFlow['kind']) {
  const account = ledger.openAccount('ada@example.com', 'old')
  t.strictSame(ledger.noteBegun(account, kind, unknown), [])
  t.strictSame(ledger.noteBegun(account, kind, heard(202, { flow_token: 'spf_a' })), [])
  const flow = ledger.waitingFlow(account, kind)
  if (flow === null) throw new Error('The flow is not known.')
  return { account, flow }
}

t.test('a mail is promised by 202 with a token', async (t) => {
  const account = ledger.openAccount('ada@example.com', 'old')
  t.match(ledger.noteBegun(account, 'otp', heard(202)), [/A request for a mail \(otp\) was answered with 202/])
  t.match(ledger.noteBegun(account, 'otp', heard(429, { code: 'rate_limited' })), [/429 rate_limited/])
  t.equal(ledger.waitingFlow(account, 'otp'), null)
})

t.test('a code registers and signs in, once', async (t) => {
  const { account, flow } = accountWith('register')
  t.strictSame(ledger.noteCodeUsed(account, flow, unknown, false), [])
  t.notOk(account.registered)
  t.strictSame(ledger.noteCodeUsed(account, flow, heard(200, tokens), true), [])
  t.match(account, { registered: true, sessions: [{ id: 'a' }] })
  t.equal(ledger.waitingFlow(account, 'register'), null)
  t.match(ledger.noteCodeUsed(account, flow, refused('used'), false), [/The code of a mail \(register\).* used/])
  t.strictSame(ledger.noteCodeUsed(account, flow, refused('used'), true), [], 'the first attempt was carried out')
  for (const reason of ['wrong_code', 'expired', 'superseded']) {
    t.match(ledger.noteCodeUsed(account, flow, refused(reason), true), [new RegExp(reason)])
  }
})

t.test('a code to sign in ends with a change of the password, and only then', async (t) => {
  const { account, flow } = accountWith('otp')
  t.strictSame(ledger.noteCodeUsed(account, flow, refused('superseded'), false), [])
  t.match(ledger.noteCodeUsed(account, flow, refused('expired'), false), [/expired/])
  t.strictSame(account.sessions, [])
})

t.test('a reset sets the password and ends all sessions', async (t) => {
  const { account, flow } = accountWith('reset_password')
  t.strictSame(ledger.noteLogin(account, heard(200, tokens)), [])
  const reset = (answer: Heard, isRepeated = false) =>
    ledger.noteReset(account, flow, { newPassword: 'new', heard: answer, isRepeated })
  t.strictSame(reset(unknown), [])
  t.strictSame(reset(refused('superseded')), [])
  t.equal(account.password, 'old')
  t.match(reset(refused('wrong_code')), [/A reset of the password was answered with 401/])
  t.strictSame(reset(heard(204)), [])
  t.match(account, { password: 'new', sessions: [{ endedAt: 5 }] })
  t.strictSame(reset(refused('used'), true), [])
})

t.test('no mail is lost, and none is sent with another Message-ID', async (t) => {
  const flowId = randomBytes(16)
  const promised = {
    email: 'ada@example.com',
    flows: [{ kind: 'otp' as const, token: tokenOf('spf_', flowId), isOver: false }],
  }
  const mail = { id: '1', kind: 'otp', state: 'sent', last_error: null, flow_id: null, outcome: null }
  const flows = new Set([flowIdOf(tokenOf('spl_', flowId))])
  const messages = new Map([['<1@example.com>', 2]])
  t.strictSame(compareMailsWithStored([mail], [promised], { messages, flows }), [])
  t.match(compareMailsWithStored([{ ...mail, state: 'failed', last_error: '550' }], [], { messages, flows }), [
    /is failed: 550/,
  ])
  t.match(compareMailsWithStored([mail, { ...mail, id: '2' }], [], { messages, flows }), [/^The mail 2 .*lost/])
  t.match(compareMailsWithStored([], [], { messages, flows }), [/Message-ID 1, which is that of no mail/])
  const notSent = { messages, flows: new Set<string>() }
  t.match(compareMailsWithStored([mail], [promised], notSent), [/to ada@example.com is lost/])
  // The flow has ended before its mail was sent, or before the attempt after a crash.
  const voided = { ...mail, state: 'void', flow_id: flowId.toString('hex') }
  t.strictSame(compareMailsWithStored([{ ...voided, outcome: 'superseded' }], [promised], notSent), [])
  t.match(compareMailsWithStored([voided], [promised], notSent), [/is lost/], 'an open flow is never without its mail')
})
