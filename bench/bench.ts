// Measures every figure with its upper bound in one run: `npm run bench`, on the Postgres of DATABASE_URL. Names select
// rows, `--rounds` sets how often each is measured, `--profile` shows where the server's time was spent, `--write`
// writes bench/README.md and docs/figures.svg.

import { parseArgs } from 'node:util'
import pg from 'pg'
import { parseCount, readArguments } from './arguments.js'
import { printTable } from './table.js'
import type { Line, Row, World } from './row.js'
import { writeReport } from './report.js'
import { firstSight } from './rows/first-sight.js'
import { flood, waiting } from './rows/flood.js'
import { costs } from './rows/costs.js'
import { login } from './rows/login.js'
import { logout } from './rows/logout.js'
import { answers, notices } from './rows/mails.js'
import { oauth, provider } from './rows/oauth.js'
import { peers } from './rows/peers.js'
import { growth, refresh } from './rows/refresh.js'
import { embedded, start } from './rows/start.js'
import { whoami } from './rows/whoami.js'

const rows: Row[] = [
  whoami,
  costs,
  peers,
  firstSight,
  refresh,
  growth,
  logout,
  oauth,
  login,
  notices,
  answers,
  flood,
  waiting,
  start,
  provider,
  embedded,
]

const usage = `bench -- [${rows.map(({ name }) => name).join(' | ')}]... [--rounds 5] [--seconds 2] [--write] [--profile]`
const { chosen, write, ...measuring } = readArguments(usage, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      write: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  })
  return {
    ...values,
    chosen: positionals.length === 0 ? rows : positionals.map(findRow),
    rounds: parseCount(values.rounds),
    seconds: parseCount(values.seconds),
  }
})
const world: World = {
  databaseUrl: await findPostgres(process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'),
  ...measuring,
}

const lines: Line[] = []
for (const row of chosen) {
  if (row.needsPostgres && world.databaseUrl === null) {
    console.log(`${row.name}: not measured, because it needs Postgres.`)
    continue
  }
  const startedAt = performance.now()
  try {
    lines.push(...(await row.measure(world)))
  } catch (error) {
    // The other rows can still be measured.
    console.error(`${row.name} could not be measured:`, error)
    process.exitCode = 1
    continue
  }
  console.log(`${row.name}: ${Math.round((performance.now() - startedAt) / 1000)} s`)
}
console.log(`\n${printTable(lines)}`)
if (write) await writeReport(lines, world)

function findRow(name: string): Row {
  const row = rows.find((row) => row.name === name)
  if (row === undefined) throw new Error(`Unknown row ${name}: choose from ${rows.map(({ name }) => name).join(', ')}.`)
  return row
}

/** The address, if a Postgres answers there. */
async function findPostgres(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    await client.end()
    return url
  } catch (error) {
    console.log(`No Postgres answers at DATABASE_URL or the default address: ${String(error)}`)
    return null
  }
}
