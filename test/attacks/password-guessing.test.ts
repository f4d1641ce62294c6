// An attacker tries passwords: from one address or many, concurrently or slowly, for one account or all of them.

import argon2 from 'argon2'
import t from 'tap'
import { PASSWORD, type Api } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const WRONG = 'a password of no account at all'

/** An endless supply of addresses, each of another network. */
function strangers(first = 0): () => string {
  let count = first
  return () => `198.${18 + (count >> 16)}.${(count >> 8) & 255}.${count++ & 255}`
}

function guess(api: Api, email: string, from: string, password = WRONG) {
  return api.login({ email, password, mode: 'json' }, { from })
}

/** Tries wrong passwords until one is rate-limited; returns how many were checked. */
async function guessUntilRefused(api: Api, email: string, next: () => string): Promise<number> {
  for (let guesses = 0; guesses <= 200; guesses += 1) {
    const { status } = await guess(api, email, next())
    if (status === 429) return guesses
  }
  throw new Error('No request was limited.')
}

/** Fails a hundred consecutive times at an account, each time as soon as it is allowed. */
async function exhaust({ api, clock }: TestApp, email: string, next: () => string): Promise<void> {
  for (let failures = 0; failures < 100;) {
    const { status, headers } = await guess(api, email, next())
    if (status === 401) failures += 1
    else clock.advance({ seconds: Number(headers['retry-after']) })
  }
}

t.test(
  'PWD-11: ten wrong passwords for an account, from any number of addresses, and then it is limited',
  async (t) => {
    const { api, clock } = await startApp(t)
    const { email } = await api.signUp()
    const next = strangers()
    t.equal(await guessUntilRefused(api, email, next), 10)

    const refused = await guess(api, email, next())
    t.match(refused, { status: 429, body: { code: 'rate_limited' }, headers: { ratelimit: /^"account";r=0;t=\d+$/ } })
    const wait = Number(refused.headers['retry-after'])
    t.ok(wait > 0 && wait <= 15 * 60)
    t.match(await guess(api, email, next(), PASSWORD), { status: 429 }, 'the right password is limited too')

    clock.advance({ seconds: wait })
    t.match(await guess(api, email, next(), PASSWORD), { status: 200 })
  },
)

t.test(
  'PWD-11: the waits grow to a day, and after a hundred consecutive failures the password is disabled',
  async (t) => {
    const app = await startApp(t)
    const { api, clock } = app
    const { email } = await api.signUp()
    const next = strangers()
    const waits: number[] = []
    let failures = 0
    while (failures < 100) {
      const { status, headers } = await guess(api, email, next())
      if (status === 401) failures += 1
      else {
        waits.push(Number(headers['retry-after']))
        clock.advance({ seconds: waits.at(-1) ?? 0 })
      }
    }
    t.ok(Math.max(...waits.slice(0, 2)) <= 15 * 60, 'a quarter of an hour at first')
    t.ok((waits[2] ?? 0) > 20 * 3600, 'the rest of the day after thirty')
    t.equal(waits.length, 9)

    clock.advance({ days: 1 })
    t.match(await guess(api, email, next()), { status: 429, headers: { ratelimit: /^"account-total";r=0/ } })
    t.match(await guess(api, email, next(), PASSWORD), { status: 429 }, 'the password alone is no longer accepted')
    clock.advance({ days: 88 })
    t.match(await guess(api, email, next(), PASSWORD), { status: 429 })
    clock.advance({ days: 2 })
    t.match(
      await guess(api, email, next(), PASSWORD),
      { status: 200 },
      'until ninety days have passed without a failure',
    )
  },
)

t.test('PWD-11: a success resets the count', async (t) => {
  const { api } = await startApp(t)
  const { email } = await api.signUp()
  const next = strangers()
  for (let round = 0; round < 4; round += 1) {
    for (let failures = 0; failures < 9; failures += 1) {
      t.match(await guess(api, email, next()), { status: 401 })
    }
    t.match(await guess(api, email, next(), PASSWORD), { status: 200 })
  }
})

t.test('PWD-11: concurrent guesses are counted individually, and before hashing', async (t) => {
  const { api, clock } = await startApp(t)
  const { email } = await api.signUp()
  const next = strangers()
  const checks = t.capture(argon2, 'verify', argon2.verify)
  const answers = await Promise.all(Array.from({ length: 60 }, () => guess(api, email, next())))
  t.equal(answers.filter(({ status }) => status === 401).length, 10)
  t.equal(answers.filter(({ status }) => status === 429).length, 50)
  t.equal(checks().length, 10)
  clock.advance({ minutes: 15 })
  t.equal(await guessUntilRefused(api, email, next), 10, 'refused requests are not counted')
})

t.test('PWD-12: the count is shared by all instances, and survives them', async (t) => {
  const one = await startApp(t)
  const other = await startApp(t, { join: true, clock: one.clock })
  const { email } = await one.api.signUp()
  const next = strangers()
  for (let failures = 0; failures < 10; failures += 1) {
    t.match(await guess((failures % 2 === 0 ? one : other).api, email, next()), { status: 401 })
  }
  t.match(await guess(one.api, email, next()), { status: 429 })
  t.match(await guess(other.api, email, next()), { status: 429 })

  await Promise.all([one.app.server.close(), other.app.server.close()])
  const restarted = await startApp(t, { join: true, clock: one.clock })
  t.match(await guess(restarted.api, email, next(), PASSWORD), { status: 429 })
})

t.test('PWD-09: an unregistered address is limited like any other', async (t) => {
  const { api } = await startApp(t)
  const { email } = await api.signUp()
  const known = strangers()
  const unknown = strangers(1000)
  for (let guesses = 0; guesses < 12; guesses += 1) {
    const ours = await guess(api, email, known())
    const nobodys = await guess(api, 'nobody@example.com', unknown())
    t.equal(nobodys.status, ours.status)
    t.equal(nobodys.headers['ratelimit-policy'], ours.headers['ratelimit-policy'])
    t.match(nobodys.headers['ratelimit'], /;r=(\d+);t=\d+$/)
    t.equal(withoutTime(nobodys.headers['ratelimit']), withoutTime(ours.headers['ratelimit']))
  }
})

t.test('PWD-14: the account is the normalized address, however it is spelled', async (t) => {
  const { api } = await startApp(t)
  const { email } = await api.signUp()
  const next = strangers()
  for (let failures = 0; failures < 10; failures += 1) {
    const written = failures % 2 === 0 ? email.toUpperCase() : ` ${email} `
    t.match(await guess(api, written, next()), { status: 401 })
  }
  t.match(await guess(api, email, next()), { status: 429 })
})

t.test('PWD-13: attackers cannot lock out a user on a known device', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const { email, answer } = await api.signUp()
  const phone = { device_token: answer.body.device_token }
  const next = strangers()
  await exhaust(app, email, next)
  clock.advance({ days: 3 })
  const onPhone = (password: string, from = next()) => api.login({ email, password, mode: 'json', ...phone }, { from })
  t.match(await guess(api, email, next(), PASSWORD), { status: 429 })
  const signedIn = await onPhone(PASSWORD)
  t.match(signedIn, { status: 200, body: { device_token: /^spd_/ } })
  t.match(await guess(api, email, next(), PASSWORD), { status: 200 }, 'whose success ends the series of failures')

  for (let failures = 0; failures < 10; failures += 1) t.match(await onPhone(WRONG), { status: 401 })
  t.match(await onPhone(PASSWORD), { status: 429, headers: { ratelimit: /^"device";r=0/ } }, 'it has separate limits')
  t.match(await guess(api, email, next(), PASSWORD), { status: 200 }, 'which are not those of unknown devices')
})

t.test('PWD-13: an attack from the address of a known device does not lock it out', async (t) => {
  const { api } = await startApp(t)
  const { email, answer } = await api.signUp()
  const from = '203.0.113.7'
  for (let failures = 0; failures < 100; failures += 1) await guess(api, `${failures}@example.com`, from)
  t.match(await guess(api, email, from, PASSWORD), { status: 429, headers: { ratelimit: /^"address"/ } })
  const { device_token } = answer.body
  t.match(await api.login({ email, password: PASSWORD, mode: 'json', device_token }, { from }), { status: 200 })
})

t.test('PWD-13: a device is known for the accounts that signed in on it, and for no others', async (t) => {
  const { api } = await startApp(t)
  const [ours, theirs] = [await api.signUp(), await api.signUp()]
  const next = strangers()
  await guessUntilRefused(api, theirs.email, next)
  const forged = [
    ours.answer.body.device_token,
    altered(theirs.answer.body.device_token),
    'spd_',
    'spd_AAAA',
    `spd_${Buffer.alloc(16 + 21).toString('base64url')}`,
  ]
  for (const device_token of forged) {
    const body = { email: theirs.email, password: PASSWORD, mode: 'json', device_token }
    t.match(await api.login(body, { from: next() }), { status: 429 }, String(device_token))
  }
})

t.test('PWD-11: a signed-in user has the same limits, and is not locked out by attackers', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const { email, refreshToken } = await api.signUp()
  await exhaust(app, email, strangers())
  const { body } = await api.refresh(refreshToken)
  const token = body.access_token
  const remove = (password: string) => api.call('/v1/me', { method: 'DELETE', token, body: { password } })
  const change = (current: string) =>
    api.call('/v1/me/password', {
      method: 'PUT',
      token,
      body: { current_password: current, new_password: 'violet otters juggle paper lanterns' },
    })
  for (let failures = 0; failures < 10; failures += 1) {
    t.match(await (failures % 2 === 0 ? remove : change)(WRONG), {
      status: 401,
      body: { code: 'invalid_credentials' },
    })
  }
  for (const call of [remove, change]) {
    t.match(await call(PASSWORD), {
      status: 429,
      body: { code: 'rate_limited' },
      headers: { 'retry-after': /^\d+$/, ratelimit: /^"session";r=0/ },
    })
  }
  clock.advance({ minutes: 15 })
  const renewed = await api.refresh(body.refresh_token)
  t.match(await api.call('/v1/me', { token: renewed.body.access_token }), { status: 200 }, 'the user is not logged out')
})

function withoutTime(header: string | string[] | undefined): string {
  return String(header).replace(/t=\d+/, 't=…')
}

/** Changes one bit of the tag. */
function altered(deviceToken = ''): string {
  const bytes = Buffer.from(deviceToken.slice(4), 'base64url')
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return `spd_${bytes.toString('base64url')}`
}
