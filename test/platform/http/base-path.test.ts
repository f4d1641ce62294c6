import t from 'tap'
import { basePathOf, withoutBasePath } from '../../../src/platform/http/base-path.js'
import { listen, sendRaw, startSmallApp } from './small-app.js'

t.test('the path of PUBLIC_URL is taken from the beginning of a URL, as a whole and once', async (t) => {
  t.equal(basePathOf('https://example.com'), '')
  t.equal(basePathOf('https://example.com/auth'), '/auth')
  t.equal(basePathOf('https://example.com/a/b/'), '/a/b')
  const table: [url: string, routed: string][] = [
    ['/auth/v1/me', '/v1/me'],
    ['/auth/v1/me?a=/auth/', '/v1/me?a=/auth/'],
    ['/auth', '/'],
    ['/auth/', '/'],
    ['/auth?a', '/?a'],
    ['/auth/auth/v1/me', '/auth/v1/me'],
    ['/v1/me', '/v1/me'],
    ['/authors/v1/me', '/authors/v1/me'],
    ['/x/auth/v1/me', '/x/auth/v1/me'],
    ['/AUTH/v1/me', '/AUTH/v1/me'],
    ['/auth/.well-known/jwks.json', '/.well-known/jwks.json'],
    ['/.well-known/oauth-authorization-server/auth', '/.well-known/oauth-authorization-server'],
    ['/.well-known/oauth-authorization-server/auth?a', '/.well-known/oauth-authorization-server?a'],
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server'],
    ['*', '*'],
  ]
  for (const [url, routed] of table) t.equal(withoutBasePath('/auth')({ url }), routed, url)
})

t.test('below the path of PUBLIC_URL there is everything, and what refers to it says so', async (t) => {
  const app = await startSmallApp(t, { publicUrl: 'https://example.com/auth' })
  for (const base of ['/auth', '']) {
    const get = (url: string) => app.inject(base + url)
    t.match((await get('/v1/address')).json(), { ip: '127.0.0.1' })
    t.match((await get('/v1/nothing')).json(), { code: 'not_found', type: '/auth/problems/not_found' })
    t.match((await app.inject({ method: 'POST', url: `${base}/v1/address` })).headers.allow, 'GET, HEAD, OPTIONS')
    t.match((await get('/%zz')).json(), { type: '/auth/problems/invalid_request' })
    const page = (await get('/docs')).body
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
    t.ok(assets.length >= 4)
    for (const url of assets) {
      t.match(url, /^\/auth\/docs\/static\//)
      t.equal((await app.inject(url)).statusCode, 200, url)
    }
    t.match((await get('/docs/static/start.js')).body, '"url":"/auth/docs/json"')
    t.match((await get('/docs/json')).json(), { servers: [{ url: '/auth' }] })
    t.match((await get('/openapi.json')).json(), { servers: [{ url: 'https://example.com/auth' }] })
  }
  const linksOf = async (path: string) => {
    const { body } = await app.inject(path)
    return [...body.matchAll(/href="([^"]+)"/g)].map(
      ([, url = '']) => new URL(url, `https://example.com${path}`).pathname,
    )
  }
  t.strictSame(await linksOf('/auth/problems/not_found'), ['/auth/problems'])
  const index = await linksOf('/auth/problems')
  t.ok(index.includes('/auth/problems/not_found'))
  for (const url of index) t.equal((await app.inject(url)).statusCode, 200, url)

  const framing = await sendRaw(await listen(app), 'GET /auth/v1/address HTTP/9.9\r\nHost: example.com\r\n\r\n')
  t.match(framing.text, '"type":"/auth/problems/invalid_request"')
})
