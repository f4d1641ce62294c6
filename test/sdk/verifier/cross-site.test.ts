import t from 'tap'
import { isSameOrigin, type ShownRequest } from '../../../src/sdk/verifier/cross-site.js'
import { createVerifier } from '../../../src/sdk/verifier/verifier.js'
import { AUDIENCE, startStandIn } from '../../support/stand-in.js'

const host = 'shop.example.com'
const table: [string, ShownRequest['headers'], boolean][] = [
  ['a page of this service', { 'sec-fetch-site': 'same-origin' }, true],
  ['a typed address', { 'sec-fetch-site': 'none' }, true],
  ['a sibling domain', { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.com', host }, false],
  ['another site', { 'sec-fetch-site': 'cross-site' }, false],
  [
    'another site with the header for other clients',
    { 'sec-fetch-site': 'cross-site', 'x-sallyport-csrf': '1' },
    false,
  ],
  ['two headers', { 'sec-fetch-site': ['same-origin', 'cross-site'] }, false],
  ['an older browser, same origin', { origin: 'https://shop.example.com', host }, true],
  ['an older browser, another site', { origin: 'https://evil.example.com', host }, false],
  ['an older browser, on another port', { origin: 'https://shop.example.com:8443', host }, false],
  ['a document without an origin', { origin: 'null', host }, false],
  ['another client', { 'x-sallyport-csrf': '1' }, true],
  ['no headers', { host }, false],
]

t.test('a request with a cookie must be same-origin', async (t) => {
  for (const [name, headers, expected] of table) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', undefined]) {
      t.equal(isSameOrigin({ method, headers }), expected, `${name}: ${method ?? 'no method'}`)
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) t.equal(isSameOrigin({ method, headers }), true, name)
  }
})

t.test('CSRF: cookies of cross-site requests are refused, and a token in the header is not affected', async (t) => {
  const standIn = await startStandIn(t)
  const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, cookies: true })
  t.teardown(() => verifier.close())
  const token = standIn.issue()
  const site = { 'sec-fetch-site': 'cross-site' }
  for (const cookie of [`sallyport_at=${token}`, 'sallyport_rt=any']) {
    await t.rejects(verifier.authenticate({ method: 'POST', headers: { ...site, cookie } }), {
      code: 'cross_site_request',
      status: 403,
    })
  }
  const other = { method: 'POST', headers: { ...site, cookie: 'theme=dark' } }
  await t.rejects(verifier.authenticate(other), { code: 'token_missing' })
  const cookie = `sallyport_at=${token}`
  t.match(await verifier.authenticate({ method: 'GET', headers: { ...site, cookie } }), { claims: { aud: AUDIENCE } })
  const headers = { ...site, authorization: `Bearer ${token}` }
  t.match(await verifier.authenticate({ method: 'POST', headers }), { claims: { aud: AUDIENCE } })
})
