// Unlisted members of a request are refused, and never written or returned.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { z } from 'zod'
import { PASSWORD, type ProblemBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { operationsOf, pathOf, type Operation } from '../support/operations.js'
import { readAllRows } from '../support/rows.js'

/** Columns of the tables, and members that other systems accept. */
const privileged: Record<string, unknown> = {
  id: randomUUID(),
  user_id: randomUUID(),
  role: 'admin',
  roles: ['admin'],
  is_admin: true,
  email_verified: true,
  email_verified_at: '2026-01-01T00:00:00Z',
  emailVerifiedAt: '2026-01-01T00:00:00Z',
  epoch: 0,
  password_hash: 'x',
  passwordHash: 'x',
  banned_at: null,
  bannedUntil: null,
  created_at: '2000-01-01T00:00:00Z',
  expires_at: '2100-01-01T00:00:00Z',
  generation: 7,
  scope: 'admin',
  amr: ['otp'],
  aud: 'other',
  session: { id: randomUUID() },
  toString: 'x',
  '': 'x',
}

function withBody({ app }: TestApp): Operation[] {
  const operations = operationsOf(app.server).filter(({ body }) => body !== null)
  if (operations.length < 8) throw new Error('There are no routes.')
  return operations
}

const record = z.record(z.string(), z.unknown())

/** The example of an operation, which would be accepted without the additional members. */
function exampleOf({ id, body }: Operation, { email, refreshToken }: { email: string; refreshToken: string }) {
  const own: Record<string, unknown> = {
    email: id === 'register' ? `${randomUUID()}@example.com` : email,
    password: PASSWORD,
    current_password: PASSWORD,
    refresh_token: refreshToken,
  }
  return Object.fromEntries(
    Object.entries(record.parse(body?.example)).map(([name, value]) => [name, own[name] ?? value]),
  )
}

t.test('HTTP-02, HTTP-06: unlisted members are refused by name, and nothing is written', async (t) => {
  const instance = await startApp(t)
  const { api, database } = instance
  const user = await api.signUp({ name: 'Ada' })
  const before = await readAllRows(database)
  for (const operation of withBody(instance)) {
    const { method, id } = operation
    const path = pathOf(operation, { id: user.sessionId })
    for (const [member, value] of Object.entries(privileged)) {
      const body = { ...exampleOf(operation, user), [member]: value }
      const answer = await api.call<ProblemBody>(path, { method, token: user.accessToken, body })
      const errors = [{ path: `/${member}`, code: 'unrecognized_key' }]
      t.match(answer, { status: 422, body: { code: 'validation_failed', errors } }, `${id}: ${member}`)
    }
  }
  t.strictSame(await readAllRows(database), before)
})

/** The token of their step may be in the cookie of a browser that came back from another provider. */
const acceptNoMember = ['getSecondFactorOptions', 'enrollTotpAtSignIn', 'getPasskeyOptionsAtSignIn']

t.test('HTTP-02: values are not coerced: each member of another type is refused', async (t) => {
  const instance = await startApp(t)
  const { api, database } = instance
  const user = await api.signUp({ name: 'Ada' })
  const before = await readAllRows(database)
  for (const operation of withBody(instance)) {
    const { method, id } = operation
    const path = pathOf(operation, { id: user.sessionId })
    const example = exampleOf(operation, user)
    const extra = 'mode' in example ? { remember: true, mode: 'json' } : {}
    for (const [member, value] of Object.entries({ ...example, ...extra })) {
      for (const wrong of wrongTypesFor(member, value)) {
        const answer = await api.call<ProblemBody>(path, {
          method,
          token: user.accessToken,
          body: { ...example, [member]: wrong },
        })
        const errors = [{ path: `/${member}` }]
        t.match(
          answer,
          { status: 422, body: { code: 'validation_failed', errors } },
          `${id}: ${member} as ${JSON.stringify(wrong)}`,
        )
      }
    }
    // If a body is optional, null counts as an absent one.
    const absent = operation.body?.required ? [null, ...(acceptNoMember.includes(id) ? [] : [{}])] : []
    for (const body of [[], [example], 'x', 1, true, ...absent]) {
      const answer = await api.call(path, { method, token: user.accessToken, body })
      t.match(answer, { status: 422 }, `${id}: ${JSON.stringify(body)} as a body`)
    }
  }
  t.strictSame(await readAllRows(database), before)
})

/** The members of a change of the profile, which null takes away. */
const nullable = ['name', 'locale']

function wrongTypesFor(member: string, value: unknown): unknown[] {
  const text = String(value)
  const common: unknown[] = [1, 0, [value], { value }, { toString: text }, ...(nullable.includes(member) ? [] : [null])]
  return typeof value === 'boolean' ? [...common, text, 'on', ''] : [...common, true, false]
}

t.test('HTTP-06: responses contain the documented members, and nothing else of the tables', async (t) => {
  const { api } = await startApp(t)
  const { answer, accessToken: token } = await api.signUp({ name: 'Ada' })
  const user = ['created_at', 'email', 'email_verified', 'id', 'name', 'roles']
  t.strictSame(Object.keys(answer.body.user).sort(), user)
  const own = [...user, 'locale', 'pending_email'].sort()
  t.strictSame(Object.keys(record.parse((await api.call('/v1/me', { token })).body)).sort(), own)
  t.strictSame(Object.keys(answer.body.session).sort(), ['device_name', 'id', 'mode'])
  const { body } = await api.call<{ sessions: object[] }>('/v1/sessions', { token })
  t.strictSame(Object.keys(body.sessions[0] ?? {}).sort(), [
    'created_at',
    'current',
    'device_name',
    'expires_at',
    'id',
    'ip',
    'last_used_at',
    'mode',
    'user_agent',
  ])
})
