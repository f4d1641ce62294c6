// Which systems log an honest user out, and which never detect the thief: the same scenarios against Sallyport and
// others, each a separate process on the same Postgres. Run by `npm run torture`.

import { parseArgs } from 'node:util'
import pLimit from 'p-limit'
import { parseCount, readArguments } from '../arguments.js'
import { withEmptyDatabase } from '../servers.js'
import { brokenPromises } from './promise.js'
import { writeReport } from './report.js'
import { createScenarios, runAll, type Column } from './run.js'
import { printTable, type Table } from './table.js'
import { startTarget, type TargetKind } from './target.js'
import { betterAuth, betterAuthOAuth, betterAuthOAuthReuse } from './targets/better-auth.js'
import { oidcProvider, oidcProviderDpop, oidcProviderOnce } from './targets/oidc-provider.js'
import { sallyport, sallyportKeyless } from './targets/sallyport.js'
import { sallyportOAuth } from './targets/sallyport-oauth.js'
import { createWorld } from './world.js'

const GRACE_SECONDS = 3
// They mostly wait.
const TARGETS_AT_ONCE = 2

const kinds: TargetKind[] = [
  ...[sallyport, sallyportKeyless, sallyportOAuth],
  ...[betterAuth, betterAuthOAuth, betterAuthOAuthReuse],
  ...[oidcProvider, oidcProviderOnce, oidcProviderDpop],
]

const usage = 'torture -- [--target name,...] [--rounds 50] [--depth 4] [--write]'
const { chosen, rounds, depth, write } = readArguments(usage, () => {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: kinds.map(({ name }) => name).join(',') },
      rounds: { type: 'string', default: '50' },
      depth: { type: 'string', default: '4' },
      write: { type: 'boolean', default: false },
    },
  })
  return {
    ...{ chosen: values.target.split(',').map(findKind), write: values.write },
    ...{ rounds: parseCount(values.rounds), depth: parseCount(values.depth) },
  }
})
const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
const table: Table = { columns: [], scenarios: createScenarios(depth) }

// This installs their packages, which would hold up the proxies of a target that runs already.
for (const { version } of chosen) version()
const limit = pLimit(TARGETS_AT_ONCE)
table.columns = await Promise.all(
  chosen.map((kind) => limit(async () => ({ name: kind.name, column: await measure(kind) }))),
)
console.log(`\n${printTable(table)}`)
if (write) await writeReport(table, chosen, { rounds, graceSeconds: GRACE_SECONDS, databaseUrl })

for (const [index, { name, promised }] of chosen.entries()) {
  const column = table.columns[index]?.column
  if (promised === undefined || column === undefined) continue
  for (const broken of brokenPromises(column, promised, GRACE_SECONDS)) {
    console.error(`${name} breaks its promise: ${broken}`)
    process.exitCode = 1
  }
}

async function measure(kind: TargetKind): Promise<Column> {
  const startedAt = performance.now()
  const column = await withEmptyDatabase(databaseUrl, async (url) => {
    const target = await startTarget(kind, url, GRACE_SECONDS)
    try {
      return await runAll(createWorld(target, GRACE_SECONDS), table.scenarios, rounds)
    } finally {
      await target.close()
    }
  })
  console.log(`${kind.name}: ${kind.version()}, ${Math.round((performance.now() - startedAt) / 1000)} s`)
  return column
}

function findKind(name: string): TargetKind {
  const kind = kinds.find((kind) => kind.name === name)
  if (kind === undefined)
    throw new Error(`Unknown target ${name}: choose from ${kinds.map(({ name }) => name).join(', ')}.`)
  return kind
}
