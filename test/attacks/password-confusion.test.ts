import t from 'tap'
import { startApp } from '../support/app.js'

const LONG = 'tundra-pickle-orbit vK3#pQ9!zR7@mW2x '.repeat(7)
const account = { email: 'ada@example.com', mode: 'json' }

t.test('PWD-03: no other password is accepted, however similar', async (t) => {
  // More consecutive failures would be limited.
  const { api } = await startApp(t, { settings: { RATE_LIMIT: 'off' } })
  const password = ` Café ${LONG.slice(0, 250)}`
  t.match(await api.register({ ...account, password }), { status: 201 })
  const login = (password: string) => api.login({ ...account, password })
  t.match(await login(password), { status: 200 })

  const near: [string, string][] = [
    ['without the last character', password.slice(0, -1)],
    ['with an additional character', `${password}x`],
    ['with another last character', `${password.slice(0, -1)}?`],
    ['its first 72 characters', password.slice(0, 72)],
    ['its first 128 characters', password.slice(0, 128)],
    ['without the leading space', password.slice(1)],
    ['with a trailing space', `${password} `],
    ['in lower case', password.toLowerCase()],
    ['in upper case', password.toUpperCase()],
    ['without the accent', password.replace('é', 'e')],
  ]
  for (const [name, other] of near)
    t.match(await login(other), { status: 401, body: { code: 'invalid_credentials' } }, name)
  t.match(await login(password.normalize('NFD')), { status: 200 }, 'another Unicode form of an accent is the same')
})

t.test('PWD-03, HTTP-02: values that are not text, or that a store could truncate, are refused', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, password, email } = await api.signUp()
  const values: [string, unknown][] = [
    ['NUL', `${password}\0`],
    ['an embedded NUL', 'copper lantern\0drifts over seven hills'],
    ['a lone surrogate', `${password}\ud83e`],
    ['the other surrogate', `\udd8a${password}`],
    ['a number', 123456789012345],
    ['null', null],
    ['a list', [password]],
    ['an object', { password }],
    ['true', true],
    ['nothing', ''],
    ['thousands of characters', 'x'.repeat(9000)],
  ]
  const refused = { status: 422, body: { code: 'validation_failed' } }
  for (const [name, value] of values) {
    t.match(await api.register({ ...account, password: value }), refused, `${name}, at register`)
    t.match(await api.login({ email, password: value }), refused, `${name}, at login`)
    const body = { current_password: password, new_password: value }
    t.match(await api.call('/v1/me/password', { method: 'PUT', token, body }), refused, `${name}, as the new one`)
    const proof = { method: 'PUT' as const, token, body: { current_password: value, new_password: LONG.slice(0, 30) } }
    t.match(await api.call('/v1/me/password', proof), refused, `${name}, as the current one`)
    t.match(
      await api.call('/v1/me', { method: 'DELETE', token, body: { password: value } }),
      refused,
      `${name}, to delete`,
    )
  }
  t.match(await api.login({ email, password }), { status: 200 })
})
