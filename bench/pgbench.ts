// The database alone: the single-row UPDATE of a refresh, by primary key, from 16 connections.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { familyId } from './population.js'
import { findPostgresProgram } from './postgres-programs.js'

const CLIENTS = 16

/** Writes as much as a refresh, to the same columns, without changing any token. */
const updateOf = (n: string) => `
  UPDATE refresh_token_family
  SET generation = generation, secret_id = secret_id, attempt_hash = handle_hash, attempt_keyed = true,
      rotated_at = now(), last_used_at = now(), ip = '127.0.0.1', user_agent = NULL
  WHERE id = ${familyId(n)}`

export interface Updates {
  /** The program that runs the updates. */
  by: string
  perSecond(seconds: number): Promise<number>
}

/** Updates random families. */
export function updatesOf(databaseUrl: string, families: number): Updates {
  const program = findPostgresProgram('pgbench')
  if (program === null) {
    return {
      by: `a loop over pg with ${CLIENTS} connections, without pgbench`,
      perSecond: (seconds) => loop(databaseUrl, families, seconds),
    }
  }
  return {
    by: `pgbench -c ${CLIENTS} -M prepared`,
    perSecond: (seconds) => runPgbench(program, databaseUrl, families, seconds),
  }
}

async function runPgbench(program: string, databaseUrl: string, families: number, seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const script = join(folder, 'update.sql')
  // pgbench reads a statement without line breaks.
  writeFileSync(script, `\\set n random(1, ${families})\n${updateOf(':n::bigint').replaceAll(/\s+/g, ' ').trim()};\n`)
  try {
    const args = ['-n', '-M', 'prepared', '-c', String(CLIENTS), '-T', String(Math.ceil(seconds)), '-f', script]
    const { stdout } = await promisify(execFile)(program, [...args, databaseUrl])
    const rate = /^tps = ([\d.]+)/m.exec(stdout)?.[1]
    if (rate === undefined) throw new Error(`pgbench printed no rate:\n${stdout}`)
    return Number(rate)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function loop(databaseUrl: string, families: number, seconds: number): Promise<number> {
  const clients = Array.from({ length: CLIENTS }, () => new pg.Client({ connectionString: databaseUrl }))
  await Promise.all(clients.map((client) => client.connect()))
  const begin = performance.now()
  let count = 0
  const update = async (client: pg.Client) => {
    for (; performance.now() < begin + seconds * 1000; count += 1) {
      const n = 1 + Math.floor(Math.random() * families)
      await client.query({ name: 'update', text: updateOf('$1::bigint'), values: [n] })
    }
  }
  await Promise.all(clients.map(update))
  const perSecond = (count / (performance.now() - begin)) * 1000
  await Promise.all(clients.map((client) => client.end()))
  return perSecond
}
