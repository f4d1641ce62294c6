// WORKERS: several processes on one port, and a primary process. RATE_LIMIT is off, because it limits clients without
// pauses.

import t from 'tap'
import { z } from 'zod'
import { pauseBeforeNext } from '../../src/workers.js'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { findFreePort } from '../support/free-port.js'
import { runMain, startProcess, type ServerProcess } from '../support/process.js'
import { connectToProcess, startRefreshing, startTraffic } from '../support/traffic.js'
import { until } from '../support/until.js'

const WORKERS = 2
const CLIENTS = 12

const lineSchema = z.object({
  msg: z.string(),
  worker: z.number().optional(),
  pid: z.number().optional(),
  path: z.string().optional(),
  status: z.number().optional(),
})

function linesOf({ said }: ServerProcess) {
  return said()
    .split('\n')
    .slice(0, -1)
    .map((line) => lineSchema.parse(JSON.parse(line)))
}

/** The process ids of all workers that have served so far. */
const workersOf = (server: ServerProcess) =>
  linesOf(server).flatMap(({ msg, pid }) => (msg === 'worker started' && pid !== undefined ? [pid] : []))

t.test('workers share a port (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const url = await createEmptyDatabase(t)
  const metricsPort = await findFreePort()
  const settings = {
    DATABASE_URL: url,
    SECRET_KEY,
    WORKERS: String(WORKERS),
    METRICS_PORT: String(metricsPort),
    RATE_LIMIT: 'off',
  }

  async function start(): Promise<ServerProcess> {
    const server = await startProcess(t, settings)
    await until(async () => workersOf(server).length === WORKERS)
    return server
  }

  const server = await start()

  t.test('every worker responds, and a revocation by one takes effect in all', async (t) => {
    const { accessToken: token } = await server.api.signUp()
    /** Sends requests on new connections until every worker has responded with this status. */
    const untilAllAnswer = (status: number) =>
      until(async () => {
        t.match((await connectToProcess(server).whoami(token)).status, status === 200 ? 200 : Number)
        const answers = linesOf(server).filter((line) => line.path === '/v1/whoami' && line.status === status)
        return new Set(answers.map(({ worker }) => worker)).size === WORKERS
      })
    await untilAllAnswer(200)
    t.match(await server.api.call('/v1/auth/logout', { method: 'POST', token }), { status: 204 })
    await untilAllAnswer(401)
  })

  t.test('the metrics of all workers are added up', async (t) => {
    const counted = async () => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      const counts = text.matchAll(/^sallyport_http_request_duration_seconds_count{(?=.*"\/v1\/whoami").*} (\d+)$/gm)
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
    }
    // The log line of the last request may still be in transit.
    await t.resolves(
      until(async () => (await counted()) === linesOf(server).filter(({ path }) => path === '/v1/whoami').length),
    )
  })

  t.test('OPS-05: kill -9 of a worker costs each client one request at most, and the worker is replaced', async (t) => {
    const [doomed = 0] = workersOf(server)
    const { refreshers, untilServed, stop } = await startRefreshing(server, CLIENTS)
    await untilServed(10)
    process.kill(doomed, 'SIGKILL')
    await untilServed(10)
    await until(async () => workersOf(server).length === WORKERS + 1)
    await untilServed(10)
    await stop()

    for (const { errors, unavailable, refreshToken } of refreshers) {
      t.ok(errors.length <= 1, errors.join(', '))
      for (const error of errors) t.match(error, { code: /^(ECONNRESET|EPIPE)$/ })
      t.equal(unavailable, 0)
      t.match(await server.api.refresh(refreshToken), { status: 200 })
    }
    t.match(server.said(), /worker exited and will be replaced/)
  })

  t.test('OPS-06: SIGTERM drops no request, and leaves no worker running', async (t) => {
    const traffic = await startTraffic(server)
    const stopped = server.stop()
    t.strictSame(await traffic.dropped(), [])
    t.equal(await stopped, 0)
    for (const pid of workersOf(server)) t.notOk(isRunning(pid))
  })

  t.test('OPS-06: SIGINT from a terminal reaches all processes, and drops no request', async (t) => {
    const another = await start()
    const traffic = await startTraffic(another)
    for (const pid of workersOf(another)) process.kill(pid, 'SIGINT')
    const stopped = another.stop('SIGINT')
    t.strictSame(await traffic.dropped(), [])
    t.equal(await stopped, 0)
  })

  t.test('kill -9 of the primary process leaves no worker running', async (t) => {
    const another = await start()
    await another.kill()
    await t.resolves(until(async () => !workersOf(another).some(isRunning)))
  })

  t.test('an error at the start of the first worker is reported once, and ends the process', async (t) => {
    const DATABASE_URL = `postgres://postgres@127.0.0.1:${await findFreePort()}/none`
    const { code, stderr } = await runMain(t, { ...settings, DATABASE_URL })
    t.equal(code, 1)
    t.equal(stderr.match(/could not start/g)?.length, 1)
  })
})

t.test('the delay before a replacement grows with the number of early exits', async (t) => {
  t.strictSame([0, 1, 2, 3].map(pauseBeforeNext), [100, 100, 200, 400])
  t.equal(pauseBeforeNext(100), 30_000)
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
