// The cost of a look-up in the revocation map with 100,000 entries, in a whole request over HTTP.

import { randomUUID } from 'node:crypto'
import { Agent, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../src/app.js'
import { readConfig } from '../src/config.js'
import { createClock } from '../src/platform/clock.js'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { openEmbedded } from '../src/platform/database/embedded.js'
import { claimsOf, type Freshness } from '../src/platform/http/access.js'
import { createLogger } from '../src/platform/http/logging.js'
import type { RevocationEntry } from '../src/wire/revocation.js'
import { createRevocationMap } from '../src/wire/revocation-map.js'
import { median } from './figures.js'

const ENTRIES = 100_000
const ROUNDS = 9
const SLICE_MS = 1000
const CONNECTIONS = 16

function someEntries(): RevocationEntry[] {
  const expiresAt = Math.ceil(Date.now() / 1000) + 3600
  // Text read from a socket is a flat string; the result of randomUUID is not, and takes several times more memory.
  const sid = () => Buffer.from(randomUUID()).toString('latin1')
  return Array.from({ length: ENTRIES }, () => ({ kind: 'session', sid: sid(), expiresAt }))
}

/** The heap that the entries take, in MiB. Needs `--expose-gc`. */
export function measureMemory(): number {
  if (!globalThis.gc) throw new Error('Start Node with --expose-gc.')
  const map = createRevocationMap()
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  map.merge(someEntries())
  globalThis.gc()
  const bytes = process.memoryUsage().heapUsed - before
  if (map.size !== ENTRIES) throw new Error('Some entries are missing.')
  return bytes / 1024 / 1024
}

/** The rate of verified requests with the look-up, as a share of the rate without it: the median of several rounds. */
export async function measureCheck(): Promise<number> {
  const log = createLogger({ level: 'silent' })
  const config = readConfig({ NODE_ENV: 'test', SECRET_KEY: generateSecretKey() })
  if (config.secretKeys === null) throw new Error('The secret is missing.')
  const database = await openEmbedded({ dataDir: null, log })
  await database.migrate()
  const { server, revocations } = await createApp({
    ...{ config, secrets: config.secretKeys, database, clock: createClock(), log },
  })
  for (const token of ['feed', 'offline'] as const satisfies Freshness[]) {
    const config = { access: { token } }
    server.get(`/bench/${token}`, { config, schema: { hide: true } }, (request) => claimsOf(request))
  }
  revocations.feed.take(someEntries())
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const body = { email: 'bench@example.com', password: 'copper lantern drifts over seven hills', mode: 'json' }
  const signedUp = await server.inject({ method: 'POST', url: '/v1/auth/register', payload: body })
  const { access_token: token } = signedUp.json<{ access_token: string }>()

  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const rate = (path: string) => requestsWithin(SLICE_MS, () => request(agent, port, path, token))
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    // The order alternates, so that neither has an advantage.
    const order = round % 2 === 0 ? ['/bench/feed', '/bench/offline'] : ['/bench/offline', '/bench/feed']
    const rates = new Map<string, number>()
    for (const path of order) rates.set(path, await rate(path))
    ratios.push((rates.get('/bench/feed') ?? NaN) / (rates.get('/bench/offline') ?? NaN))
    await revocations.poll()
  }
  agent.destroy()
  await server.close()
  await database.close()
  // The first round is a warm-up.
  return median(ratios.slice(1))
}

async function requestsWithin(ms: number, send: () => Promise<void>): Promise<number> {
  const end = performance.now() + ms
  let count = 0
  const keepSending = async () => {
    for (; performance.now() < end; count += 1) await send()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, keepSending))
  return count
}

function request(agent: Agent, port: number, path: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path} answered ${String(response.statusCode)}.`))
      response.resume().on('end', resolve)
    }).on('error', reject)
  })
}
