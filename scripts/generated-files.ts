// Shared by the scripts that generate files of the repository.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { format } from 'prettier'

export function formatJson(value: unknown): Promise<string> {
  return format(JSON.stringify(value, null, 2), { parser: 'json', printWidth: 120 })
}

/**
 * Writes files, by their paths from the root of the repository. With --check on the command line it writes nothing, and
 * the process fails if one of them is out of date. `command` is the command that updates them.
 */
export function writeOrCheck(files: Record<string, string>, command: string): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  for (const [name, content] of Object.entries(files)) {
    const path = fileURLToPath(new URL(`../${name}`, import.meta.url))
    if (values.check) check(name, path, content, command)
    else {
      writeFileSync(path, content)
      console.log(`Wrote ${name}.`)
    }
  }
}

function check(name: string, path: string, content: string, command: string): void {
  const isUpToDate = existsSync(path) && readFileSync(path, 'utf8') === content
  console.log(isUpToDate ? `${name} is up to date.` : `${name} is out of date: ${command}`)
  if (!isUpToDate) process.exitCode = 1
}
