import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { withClient } from '../postgres-client.js'
import { writeTable, type Table } from './table.js'
import type { TargetKind } from './target.js'

const file = fileURLToPath(new URL('../../docs/torture.md', import.meta.url))
const BEGIN = '<!-- Written by npm run torture -- --write: -->'
const END = '<!-- Written until here. -->'

/** Writes the table into docs/torture.md, with the versions and settings of the run. */
export async function writeReport(
  table: Table,
  kinds: TargetKind[],
  { rounds, graceSeconds, databaseUrl }: { rounds: number; graceSeconds: number; databaseUrl: string },
): Promise<void> {
  const text = readFileSync(file, 'utf8')
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (before === -1 || after === -1) throw new Error(`${file} has no markers for the table.`)
  const versions = [...new Set(kinds.map((kind) => kind.version()))].join(', ')
  const measured = [
    `Measured with ${versions}; Node ${process.versions.node}, PostgreSQL ${await postgresVersion(databaseUrl)}, ` +
      `${availableParallelism()} cores. The grace period is ${graceSeconds} s for all targets; races are run ${rounds} times.`,
    kinds.map((kind) => `- \`${kind.name}\`: ${kind.describe(graceSeconds)}`).join('\n'),
    writeTable(table),
  ].join('\n\n')
  const options = { ...(await resolveConfig(file)), filepath: file }
  writeFileSync(file, await format(`${text.slice(0, before)}${BEGIN}\n\n${measured}\n\n${text.slice(after)}`, options))
}

async function postgresVersion(databaseUrl: string): Promise<string> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ server_version: string }>('SHOW server_version'),
  )
  return rows[0]?.server_version.split(' ')[0] ?? ''
}
