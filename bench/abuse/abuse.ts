// What attackers did to this server (ABU-01 to ABU-03), against this version or another that is built: how long do new
// connections wait, does the owner get in, what does one account cost the others? Run by `npm run bench:abuse`.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseCount, readArguments } from '../arguments.js'
import { withEmptyDatabase } from '../servers.js'
import type { Exploit } from './exploit.js'
import { printFigures, type Figure } from './figure.js'
import { owner } from './owner.js'
import { passwords } from './passwords.js'
import { withTarget, type TargetOptions } from './target.js'
import { waits } from './waits.js'

const exploits: Exploit[] = [...waits, ...owner, passwords]
const names = [...new Set(exploits.map(({ name }) => name))]

const usage = `bench:abuse -- [${names.join(' | ')}]... [--seconds 8] [--folder BUILT_CHECKOUT]`
const { chosen, seconds, folder } = readArguments(usage, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '8' }, folder: { type: 'string' } },
  })
  for (const name of positionals) {
    if (!names.includes(name)) throw new Error(`There is no ${name}: choose from ${names.join(', ')}.`)
  }
  return {
    chosen: exploits.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    seconds: parseCount(values.seconds, 600),
    folder: values.folder === undefined ? null : resolve(values.folder),
  }
})

const serverUrl = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
const figures: Figure[] = []
for (const exploit of chosen) figures.push(...(await play(exploit)))
console.log(printFigures(figures))

function play({ database, play }: Exploit): Promise<Figure[]> {
  const options: Omit<TargetOptions, 'databaseUrl'> = { folder, seconds }
  if (database === 'embedded') return withTarget({ ...options, databaseUrl: null }, play)
  return withEmptyDatabase(serverUrl, (databaseUrl) => withTarget({ ...options, databaseUrl }, play))
}
