// A rolling upgrade on Postgres under load (OPS-07): while instances of an old version serve, instances of this one
// start and migrate, until only this version is left. Does any request fail, is any user logged out, is anything lost
// that was acknowledged? Run by `npm run bench:upgrade`.

import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { generateSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { parseCount, readArguments } from '../arguments.js'
import { withEmptyDatabase } from '../servers.js'
import { createCall, type Record } from '../soak/calling.js'
import { ACCESS_TOKEN_TTL_SECONDS, lookAgain, useAccount, type ClientOptions } from '../soak/client.js'
import { compareAll } from '../soak/comparing.js'
import { createOutages } from '../soak/faults.js'
import type { Account, Faults } from '../soak/ledger.js'
import { printResult } from '../soak/report.js'
import { createServerLog } from '../soak/server-log.js'
import { withCheckout } from './checkout.js'
import { createFleet, type Fleet } from './fleet.js'

const LOOKED_AT_AGAIN = 200

const usage = 'bench:upgrade -- (--from REVISION | --folder BUILT_CHECKOUT) [--seconds 60] [--clients 16]'
const { from, folder, seconds, clients } = readArguments(usage, () => {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      folder: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      clients: { type: 'string', default: '16' },
    },
  })
  if ((values.from === undefined) === (values.folder === undefined)) {
    throw new Error('Name the old version: --from or --folder.')
  }
  return { ...values, seconds: parseCount(values.seconds), clients: parseCount(values.clients) }
})

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
const faultCount = await withOldVersion((old) => withEmptyDatabase(databaseUrl, (url) => run(old, url)))
process.exitCode = faultCount === 0 ? 0 : 1

function withOldVersion<T>(work: (folder: string) => Promise<T>): Promise<T> {
  return folder === undefined ? withCheckout(from ?? '', work) : work(resolve(folder))
}

async function run(old: string, url: string): Promise<number> {
  const startedAt = performance.now()
  const faults: Faults = []
  const note = (text: string) => faults.push(`second ${((performance.now() - startedAt) / 1000).toFixed(1)}: ${text}`)
  const record: Record = { answers: new Map(), explained: new Map(), fault: note }
  // No fault is injected, so no error is accepted.
  const outages = createOutages(() => performance.now())
  const log = createServerLog()
  const fleet = createFleet(
    {
      ...{ DATABASE_URL: url, SECRET_KEY: generateSecretKey(), PUBLIC_URL: 'http://localhost:3000' },
      ...{ NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'warn' },
      ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL_SECONDS),
    },
    (line) => {
      const error = log.take(line)
      if (error !== null) note(`A server logged: ${error}`)
    },
  )
  const accounts: Account[] = []
  let isOver = false
  const call = createCall(fleet, outages, record)
  const options: ClientOptions = { call, outages, postOffice: null, goesOn: () => !isOver }
  const use = async () => {
    while (!isOver) {
      const used = await useAccount(options)
      accounts.push(used.account)
      for (const fault of used.faults) note(`${used.account.email}: ${fault}`)
    }
  }
  try {
    await fleet.add('old 1', old)
    await fleet.add('old 2', old)
    const upgraded = upgrade(fleet, (step) => console.log(step)).finally(() => (isOver = true))
    await Promise.all([upgraded, ...Array.from({ length: clients }, use)])
    for (const account of accounts.slice(-LOOKED_AT_AGAIN)) {
      for (const fault of await lookAgain(account, options)) note(`${account.email}: ${fault}`)
    }
  } finally {
    call.close()
    await fleet.stop()
  }
  for (const fault of await compareAll(url, accounts)) note(fault)
  const sessions = accounts.reduce((sum, account) => sum + account.sessions.length, 0)
  const counts = { minutes: Number((seconds / 60).toFixed(1)), accounts: accounts.length, sessions, mails: null }
  const shown = { outages: outages.list(), startedAt, trends: new Map(), faults: faults.map(log.explain) }
  console.log(`\n${printResult({ ...counts, ...record, ...shown })}`)
  return faults.length
}

/**
 * Four phases of equal length: the old version alone, two of the old with one of the new, one of each, the new version
 * alone.
 */
async function upgrade(fleet: Fleet, tell: (step: string) => void): Promise<void> {
  const phase = () => pause((seconds * 1000) / 4)
  tell('Two instances of the old version serve.')
  await phase()
  await fleet.add('new 1', null)
  tell('An instance of this version has migrated, and serves alongside them.')
  await phase()
  await fleet.remove('old 1')
  tell('One instance of the old version has stopped.')
  await phase()
  await fleet.add('new 2', null)
  await fleet.remove('old 2')
  tell('Only this version serves.')
  await phase()
}
