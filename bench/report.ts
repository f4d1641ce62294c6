import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { drawFigures } from './picture.js'
import { withClient } from './postgres-client.js'
import type { Line, World } from './row.js'
import { writeTable } from './table.js'

const readme = fileURLToPath(new URL('README.md', import.meta.url))
const picture = fileURLToPath(new URL('../docs/figures.svg', import.meta.url))
const BEGIN = '<!-- Written by npm run bench -- --write: -->'
const END = '<!-- Written until here. -->'

/** Writes the figures into bench/README.md and docs/figures.svg, with a description of the machine. */
export async function writeReport(lines: Line[], { databaseUrl, rounds, seconds }: World): Promise<void> {
  const text = readFileSync(readme, 'utf8')
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (before === -1 || after === -1) throw new Error(`${readme} has no markers for the figures.`)
  const machine =
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ` +
    `${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}`
  const postgres = databaseUrl === null ? 'no Postgres' : await describePostgres(databaseUrl)
  const measured = `Medians of ${rounds} rounds of ${seconds} s, on ${machine}, ${postgres}.`
  const written = `${text.slice(0, before)}${BEGIN}\n\n${measured}\n\n${writeTable(lines)}\n\n${text.slice(after)}`
  writeFileSync(readme, await format(written, { ...(await resolveConfig(readme)), filepath: readme }))
  writeFileSync(picture, drawFigures(lines, `${availableParallelism()} cores, Node ${process.versions.node}`))
  console.log('Wrote bench/README.md and docs/figures.svg.')
}

const settings = ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers', 'autovacuum']

async function describePostgres(url: string): Promise<string> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string; value: string }>(
      'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)',
      [settings],
    ),
  )
  const valueOf = (name: string) => rows.find((row) => row.name === name)?.value ?? ''
  const others = settings.slice(1).map((name) => `\`${name}\` ${valueOf(name)}`)
  return `PostgreSQL ${valueOf('server_version').split(' ')[0] ?? ''} on the same machine (${others.join(', ')})`
}
