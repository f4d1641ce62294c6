// All operations for a long time, with a database that restarts and instances that are killed: is anything lost that
// was acknowledged, does any session end without a cause, does memory grow? Run by `npm run bench:soak`.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { parseCount, readArguments } from '../arguments.js'
import { createCall, type Record } from './calling.js'
import { ACCESS_TOKEN_TTL_SECONDS, lookAgain, useAccount, type ClientOptions } from './client.js'
import { compareAll } from './comparing.js'
import { createOutages, type Outages } from './faults.js'
import { startInstances, type Instances } from './instances.js'
import type { Account, Faults } from './ledger.js'
import { compareMails, waitForMails } from './mail-check.js'
import { isFlat, trendOf } from './memory.js'
import { openPostOffice, type PostOffice } from './post-office.js'
import { withFailingPostgres, type FailingPostgres } from './postgres.js'
import { printResult } from './report.js'
import { createServerLog } from './server-log.js'

/** A full garbage collection takes a tenth of a second, during which no request is served. */
const SAMPLE_MS = 20_000
/** As a share of the run. */
const WARM_UP = 0.2
const LOOKED_AT_AGAIN = 200
/** At most. Users who wait for a mail do nothing else. */
const MAIL_AWAY_MS = 20_000

const usage = 'bench:soak -- [--minutes 30] [--instances 2] [--clients 24] [--shared]'
const { minutes, instanceCount, clients, shared } = readArguments(usage, () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      instances: { type: 'string', default: '2' },
      clients: { type: 'string', default: '24' },
      shared: { type: 'boolean', default: false },
    },
  })
  return {
    ...{ minutes: parseCount(values.minutes), clients: parseCount(values.clients) },
    ...{ instanceCount: parseCount(values.instances), shared: values.shared },
  }
})
const runMs = minutes * 60_000

const sharedUrl = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
const faultCount = await withFailingPostgres({ sharedUrl, shared }, async (postgres) => {
  console.log(`Postgres: ${postgres.failure}.`)
  return run(postgres)
})
process.exitCode = faultCount === 0 ? 0 : 1

async function run(postgres: FailingPostgres): Promise<number> {
  const startedAt = performance.now()
  const faults: Faults = []
  const note = (text: string) => faults.push(`second ${((performance.now() - startedAt) / 1000).toFixed(1)}: ${text}`)
  const record: Record = { answers: new Map(), explained: new Map(), fault: note }
  const outages = createOutages(() => performance.now())
  const log = createServerLog()
  const postOffice = await openPostOffice()
  const instances = await startInstances({
    ...{ count: instanceCount, outages },
    settings: {
      ...{ DATABASE_URL: postgres.url, SECRET_KEY: generateSecretKey(), PUBLIC_URL: 'http://localhost:3000' },
      ...{ NODE_ENV: 'production', HOST: '127.0.0.1' },
      // All requests come from one address.
      RATE_LIMIT: 'off',
      ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL_SECONDS),
      LOG_LEVEL: 'warn',
      ...{ MAIL_URL: postOffice.url, MAIL_FROM: 'Soak <no-reply@example.com>' },
      ...{ EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp' },
    },
    onLine: (line) => {
      const error = log.take(line)
      if (error !== null && !outages.explainRefusal(performance.now())) note(`A server logged: ${error}`)
    },
  })
  const call = createCall(instances, outages, record)
  const endsAt = performance.now() + runMs
  const options: ClientOptions = { call, outages, postOffice, goesOn: () => performance.now() < endsAt }
  const accounts: Account[] = []
  const use = async () => {
    while (options.goesOn()) {
      const used = await useAccount(options)
      accounts.push(used.account)
      for (const fault of used.faults) note(`${used.account.email}: ${fault}`)
    }
  }
  const sampling = setInterval(() => void instances.sample(), SAMPLE_MS)
  try {
    await Promise.all([
      breakThings({ postgres, instances, outages, postOffice }),
      ...Array.from({ length: clients }, use),
    ])
    for (const account of accounts.slice(-LOOKED_AT_AGAIN)) {
      for (const fault of await lookAgain(account, options)) note(`${account.email}: ${fault}`)
    }
    await waitForMails(postgres.url)
  } finally {
    clearInterval(sampling)
    call.close()
    await instances.stop()
    await postOffice.close()
  }
  for (const fault of await compareAll(postgres.url, accounts)) note(fault)
  const { received } = postOffice
  for (const fault of await compareMails(postgres.url, accounts, received)) note(fault)

  const trends = new Map([...instances.samples()].map(([name, samples]) => [name, trendOf(samples, WARM_UP * runMs)]))
  for (const [name, trend] of trends) if (trend !== null && !isFlat(trend)) note(`${name} grows.`)
  const sessions = accounts.reduce((sum, account) => sum + account.sessions.length, 0)
  const times = [...received.messages.values()]
  const mails = { accepted: times.length, acceptedAgain: times.filter((count) => count > 1).length }
  const counts = { minutes, accounts: accounts.length, sessions, mails }
  console.log(
    `\n${printResult({ ...counts, ...record, outages: outages.list(), startedAt, trends, faults: faults.map(log.explain) })}`,
  )
  return faults.length
}

interface Breakable {
  postgres: FailingPostgres
  instances: Instances
  outages: Outages
  postOffice: PostOffice
}

/**
 * Two instances are killed, and the database restarts in between, a quarter of the run apart. Between the first kill and
 * that, the mail server is away.
 */
async function breakThings({ postgres, instances, outages, postOffice }: Breakable): Promise<void> {
  await pause(runMs / 4)
  await instances.kill(0)
  await pause(runMs / 8)
  await outages.during('mail server', () => postOffice.away(() => pause(Math.min(MAIL_AWAY_MS, runMs / 20))))
  await pause(runMs / 8)
  await outages.during('postgres', postgres.fail)
  await pause(runMs / 4)
  await instances.kill(1)
}
