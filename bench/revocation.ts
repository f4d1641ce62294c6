// The time until a logout takes effect: from the response of the revoking call to the first refusal, by every other
// instance and by a verifier in a separate process. Then the cost of the look-up, and the memory of the entries. Run by
// `npm run bench:revocation` with DATABASE_URL; `-- --write` also writes the figure in docs/.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createVerifierCredential } from '../src/features/clients/clients.js'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { median, percentile, report } from './figures.js'
import { measureCheck, measureMemory } from './revocation-check.js'
import { drawDistribution, type Series } from './revocation-picture.js'
import { startServer, withEmptyDatabase, type Server } from './servers.js'

const REVOCATIONS = 200
const PASSWORD = 'copper lantern drifts over seven hills'
const ISSUER = 'http://localhost:3000'

const now = () => performance.timeOrigin + performance.now()

interface Delays {
  instances: number[]
  verifier: number[]
}

async function measureDelays(databaseUrl: string, settings: Record<string, string>): Promise<Delays> {
  const { credential, sha256 } = createVerifierCredential()
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const shared = {
    ...{ DATABASE_URL: databaseUrl, DATA_DIR: dataDir, SECRET_KEY: generateSecretKey(), PUBLIC_URL: ISSUER },
    ...{ MAX_SESSIONS_PER_USER: '1000', VERIFIER_KEYS: `bench:${sha256}`, ...settings },
  }
  const first = await startServer(shared)
  const others = await Promise.all([startServer(shared), startServer(shared)])
  const [nearest = first] = others
  const verifier = fork(fileURLToPath(new URL('revocation-verifier.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env.PATH, ISSUER, VERIFIER_URL: nearest.url, CREDENTIAL: credential },
  })
  try {
    await once(verifier, 'message')
    return await revokeOneByOne(first, others, verifier)
  } finally {
    verifier.kill()
    await Promise.all([first, ...others].map((server) => server.stop()))
    rmSync(dataDir, { recursive: true })
  }
}

async function revokeOneByOne(first: Server, others: Server[], verifier: ChildProcess): Promise<Delays> {
  const email = `bench-${Date.now()}@example.com`
  await post(first, '/v1/auth/register', { email, password: PASSWORD, mode: 'json' })
  const delays: Delays = { instances: [], verifier: [] }
  for (let run = 0; run < REVOCATIONS; run += 1) {
    const { access_token: token } = await post(first, '/v1/auth/login', { email, password: PASSWORD, mode: 'json' })
    const refusals = others.map((server) => untilRefused(server, token))
    const told = once(verifier, 'message') as Promise<[{ at: number }]>
    verifier.send(token)
    // At a random time between two polls.
    await pause(20 + Math.random() * 500)
    await post(first, '/v1/auth/logout', undefined, token)
    const answeredAt = now()
    for (const at of await Promise.all(refusals)) delays.instances.push(Math.max(0, at - answeredAt))
    const [{ at }] = await told
    delays.verifier.push(Math.max(0, at - answeredAt))
  }
  return delays
}

const agent = new Agent({ keepAlive: true })

async function untilRefused({ url }: Server, token: string): Promise<number> {
  while ((await statusOf(`${url}/v1/whoami`, token)) === 200) await pause(1)
  return now()
}

function statusOf(url: string, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}

async function post({ url }: Server, path: string, body?: object, token?: string): Promise<{ access_token: string }> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return answer.status === 204 ? { access_token: '' } : ((await answer.json()) as { access_token: string })
}

function reportDelays(how: string, { instances, verifier }: Delays, medianGoal: number): Series[] {
  const series = [
    { name: `instances, ${how}`, values: instances },
    { name: `verifier, ${how}`, values: verifier },
  ]
  for (const { name, values } of series) {
    report(`revocation to refusal, ${name}: median`, median(values), { goal: medianGoal, unit: 'ms' })
    report(`revocation to refusal, ${name}: p99`, percentile(values, 99), { goal: 1000, unit: 'ms' })
  }
  return series
}

const databaseUrl = process.env.DATABASE_URL
if (!databaseUrl) throw new Error('Set DATABASE_URL to a Postgres whose user may create databases.')

console.log(`${REVOCATIONS} revocations each; three instances, and a verifier on the feed of the second.`)
const series: Series[] = []
await withEmptyDatabase(databaseUrl, async (url) => {
  series.push(...reportDelays('woken by NOTIFY', await measureDelays(url, {}), 100))
})
await withEmptyDatabase(databaseUrl, async (url) => {
  series.push(...reportDelays('by the poll alone', await measureDelays(url, { DATABASE_PREPARED: 'false' }), 1000))
})
report('the check on a verified request: rate with it / without', await measureCheck(), {
  goal: 0.95,
  atLeast: true,
  digits: 2,
})
report('memory of 100,000 entries', measureMemory(), { goal: 32, unit: 'MiB' })
agent.destroy()

if (process.argv.includes('--write')) {
  const file = fileURLToPath(new URL('../docs/revocation-latency.svg', import.meta.url))
  writeFileSync(file, drawDistribution(series))
  console.log('Wrote docs/revocation-latency.svg.')
}
