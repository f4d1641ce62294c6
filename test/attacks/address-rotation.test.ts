// An attacker uses many addresses: those of one network, or forged ones in forwarding headers.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type Api } from '../support/api.js'
import { startApp } from '../support/app.js'

/** A registration that is refused for its password: it costs no hash, and is counted like any other. */
function register(api: Api, from: string, headers: Record<string, string> = {}) {
  return api.register({ email: `${randomUUID()}@example.com`, password: 'short', mode: 'json' }, { from, headers })
}

/** Registers from each address in turn until one is refused; returns how many succeeded. */
async function registerUntilRefused(
  api: Api,
  from: (attempt: number) => string,
  headers?: (attempt: number) => Record<string, string>,
): Promise<number> {
  for (let attempt = 0; attempt <= 200; attempt += 1) {
    const { status } = await register(api, from(attempt), headers?.(attempt))
    if (status === 429) return attempt
    if (status !== 422) throw new Error(`The registration was answered with ${status}.`)
  }
  throw new Error('No request was limited.')
}

t.test('PWD-14: an address registers a hundred times in an hour', async (t) => {
  const { api, clock } = await startApp(t)
  t.equal(await registerUntilRefused(api, () => '192.0.2.7'), 100)
  t.match(await register(api, '192.0.2.8'), { status: 422, headers: { ratelimit: /^"registration";r=99;t=\d+$/ } })

  const body = { email: 'ada@example.com', password: PASSWORD, mode: 'json' }
  const refused = await api.register(body, { from: '192.0.2.7' })
  t.match(refused, {
    status: 429,
    body: { code: 'rate_limited' },
    headers: { ratelimit: /^"registration";r=0;t=\d+$/ },
  })
  t.equal(refused.headers['ratelimit-policy'], '"registration";q=100;w=3600')
  clock.advance({ seconds: Number(refused.headers['retry-after']) })
  t.match(await api.register(body, { from: '192.0.2.7' }), { status: 201 })
})

t.test('PWD-14: the addresses of an IPv6 network count as one, and those of other networks separately', async (t) => {
  const { api } = await startApp(t)
  const inNetwork = (attempt: number) => `2001:db8:1:2:${attempt.toString(16)}::${attempt.toString(16)}`
  t.equal(await registerUntilRefused(api, inNetwork), 100)
  t.match(await register(api, '2001:db8:1:2:ffff:ffff:ffff:ffff'), { status: 429 })
  t.match(await register(api, '2001:db8:1:3::1'), { status: 422 })
})

t.test('PWD-14: an IPv4-mapped IPv6 address counts as the IPv4 address', async (t) => {
  const { api } = await startApp(t)
  t.equal(await registerUntilRefused(api, (attempt) => (attempt % 2 === 0 ? '192.0.2.7' : '::ffff:192.0.2.7')), 100)
  t.match(await register(api, '::ffff:c000:207'), { status: 429 })
  t.match(await register(api, '::ffff:192.0.2.8'), { status: 422 })
})

t.test('PWD-14: forwarding headers of an unlisted peer are ignored', async (t) => {
  const { api } = await startApp(t, { settings: { TRUST_PROXY: '10.0.0.2' } })
  const claiming = (attempt: number) => ({
    'x-forwarded-for': `198.51.100.${attempt}`,
    forwarded: `for=198.51.100.${attempt}`,
    'x-real-ip': `198.51.100.${attempt}`,
    'x-client-ip': `198.51.100.${attempt}`,
    'cf-connecting-ip': `198.51.100.${attempt}`,
  })
  t.equal(await registerUntilRefused(api, () => '192.0.2.7', claiming), 100)
})

t.test('PWD-14: clients behind a listed proxy are distinguished by the address that it has added', async (t) => {
  const { api } = await startApp(t, { settings: { TRUST_PROXY: '10.0.0.2' } })
  // Everything to the left of the last address was sent by the client.
  const forwarded = (attempt: number) => ({ 'x-forwarded-for': `198.51.100.${attempt}, 203.0.113.7` })
  t.equal(await registerUntilRefused(api, () => '10.0.0.2', forwarded), 100)
  t.match(await register(api, '10.0.0.2', { 'x-forwarded-for': '203.0.113.8' }), { status: 422 })
})
