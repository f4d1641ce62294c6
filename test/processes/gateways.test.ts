// The gateways of deploy/gateways, between a client, Sallyport and an application that tells what it was sent.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../src/config.js'
import { createApiOver, PASSWORD } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { createBrowser } from '../support/browser.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder, startProcess } from '../support/process.js'
import { until } from '../support/until.js'

const folder = fileURLToPath(new URL('../../deploy/gateways/', import.meta.url))
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

function isInstalled(program: string, argument: string): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Where a gateway is to listen, and where the two behind it do. */
interface Ports {
  gateway: number
  sallyport: number
  application: number
}

interface Gateway {
  name: string
  versionArgument: string
  /** The command that runs it, with the example as it stands but for the ports. */
  command(t: Test, ports: Ports): { args: string[]; env: Record<string, string> }
}

const gateways: Gateway[] = [
  {
    name: 'nginx',
    versionArgument: '-v',
    command(t, ports) {
      const place = createFolder(t)
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${place}/${kind};`,
      )
      const config = read('nginx.conf')
        .replace('http {', `http { access_log off; ${temporary.join(' ')}`)
        .replace('events {}', `pid ${place}/pid; daemon off; events {}`)
        .replace('127.0.0.1:3000', `127.0.0.1:${ports.sallyport}`)
        .replace('127.0.0.1:4000', `127.0.0.1:${ports.application}`)
        .replace('listen 8080', `listen 127.0.0.1:${ports.gateway}`)
      writeFileSync(join(place, 'nginx.conf'), config)
      return { args: ['-e', 'stderr', '-p', place, '-c', join(place, 'nginx.conf')], env: {} }
    },
  },
  {
    name: 'caddy',
    versionArgument: 'version',
    command(t, ports) {
      const home = createFolder(t)
      mkdirSync(join(home, 'config'))
      return {
        args: ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'],
        env: {
          HOME: home,
          SITE_ADDRESS: `http://localhost:${ports.gateway}`,
          SALLYPORT: `127.0.0.1:${ports.sallyport}`,
          APPLICATION: `127.0.0.1:${ports.application}`,
        },
      }
    },
  },
]

/** An application that answers what it was sent. */
async function startApplication(t: Test): Promise<number> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes) => (body += String(bytes)))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json').setHeader('set-cookie', 'theme=dark')
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function startGateway(t: Test, { name, command }: Gateway) {
  const gateway = await findFreePort()
  const url = `http://localhost:${gateway}`
  const settings = { SECRET_KEY, PUBLIC_URL: url, TRUST_PROXY: '127.0.0.1', ACCESS_TOKEN_TTL: '60' }
  const { port: sallyport } = await startProcess(t, settings)
  const { args, env } = command(t, { gateway, sallyport, application: await startApplication(t) })
  const program = spawn(name, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' })
  t.teardown(async () => {
    const ended = once(program, 'exit')
    program.kill('SIGTERM')
    await ended
  })
  const api = createApiOver(async ({ method, path, headers, body }) => {
    const answer = await fetch(`${url}${path}`, { method, headers, body: body ?? null, redirect: 'manual' })
    const answered = Object.fromEntries(answer.headers)
    const setCookies = answer.headers.getSetCookie()
    return { status: answer.status, headers: { ...answered, 'set-cookie': setCookies }, text: await answer.text() }
  })
  await until(async () => (await api.call('/v1/whoami').catch(() => null))?.status === 401)
  return { api, url }
}

interface Sent {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

for (const gateway of gateways) {
  const skip = !isInstalled(gateway.name, gateway.versionArgument) && `needs ${gateway.name}`
  t.test(`deploy/gateways: an application behind ${gateway.name} knows whose requests it gets`, { skip }, async (t) => {
    const { api, url } = await startGateway(t, gateway)
    const { email, userId, sessionId, accessToken: token } = await api.signUp()

    const spoofed = { 'x-auth-user': 'root', 'x-auth-roles': 'admin', 'x-auth-email': 'root@example.com' }
    const answer = await api.call<Sent>('/orders/7?page=2', {
      ...{ method: 'POST', token, text: 'an order', headers: { ...spoofed, 'content-type': 'text/plain' } },
    })
    t.match(answer, { status: 200, body: { method: 'POST', url: '/orders/7?page=2', body: 'an order' } })
    const { headers } = answer.body
    t.match(headers, { 'x-auth-user': userId, 'x-auth-session': sessionId, 'x-auth-email': email })
    t.equal(headers['x-auth-roles'] ?? '', '', 'a header that the client made up is gone')
    t.equal(headers.authorization, undefined, 'the application gets no token')

    t.match(await api.call('/orders', { headers: spoofed }), {
      status: 401,
      headers: { 'www-authenticate': /^Bearer/ },
    })
    t.match(await api.call('/orders', { token: 'nonsense' }), { status: 401 })

    const page = createBrowser(api, { origin: url })
    const login = { method: 'POST' as const, body: { email, password: PASSWORD, mode: 'session' } }
    t.match(await page.call('/v1/auth/login', login), { status: 200 })
    const own = await page.call<Sent>('/orders', { method: 'POST', text: 'an order' })
    t.match(own, { status: 200, body: { headers: { 'x-auth-user': userId } } })
    t.equal(own.body.headers.cookie, undefined)
    t.match(await page.call('/orders', { headers: { origin: 'https://evil.example' } }), { status: 200 }, 'a link')
    const foreign = { method: 'POST' as const, text: 'an order', headers: { origin: 'https://evil.example' } }
    t.match(await page.call('/orders', foreign), { status: 403 }, 'WEB-04: a form of another site')

    page.cookies.delete('sallyport_at')
    const renewed = await page.call<Sent>('/orders')
    t.match(renewed, { status: 200, body: { headers: { 'x-auth-user': userId } } })
    t.ok(page.cookies.has('sallyport_at'), 'the renewed cookie reaches the browser')
    t.equal(page.cookies.get('theme'), 'dark', 'and so does that of the application')
    const again = await page.call<Sent>('/orders')
    t.strictSame(again.setCookies, ['theme=dark'])

    t.match(await api.call('/v1/auth/logout', { method: 'POST', token }), { status: 204 })
    t.match(await api.call('/orders', { token }), { status: 401 }, 'a session that has ended opens nothing')
  })
}

/** The part of an Envoy configuration that is of this type. */
function findTyped(value: unknown, type: RegExp): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if ('@type' in value && type.test(String(value['@type']))) return value
  return Object.values(value)
    .map((member) => findTyped(member, type))
    .find((found) => found !== undefined)
}

t.test('deploy/gateways: Envoy asks on the route that is there, with all that the answer depends on', async (t) => {
  const patterns = z
    .object({ patterns: z.array(z.object({ exact: z.string() })) })
    .transform((list) => list.patterns.map(({ exact }) => exact))
  const filterSchema = z.object({
    failure_mode_allow: z.literal(false),
    allowed_headers: patterns,
    http_service: z.object({
      path_prefix: z.string(),
      authorization_response: z.object({
        allowed_upstream_headers: patterns,
        allowed_client_headers_on_success: patterns,
      }),
    }),
  })
  const filter = findTyped(parse(read('envoy.yaml')), /\.ext_authz\.v3\.ExtAuthz$/)
  const { allowed_headers: sent, http_service: service } = filterSchema.parse(filter)
  t.equal(service.path_prefix, '/v1/gateway')
  for (const name of ['cookie', 'origin', 'sec-fetch-site', 'x-sallyport-csrf', 'user-agent', 'x-forwarded-for']) {
    t.ok(sent.includes(name), name)
  }
  const told = Object.values(readConfig({}).gateway.headers).map((name) => name.toLowerCase())
  t.strictSame(service.authorization_response.allowed_upstream_headers.toSorted(), told.toSorted())
  t.strictSame(service.authorization_response.allowed_client_headers_on_success, ['set-cookie'])
})
