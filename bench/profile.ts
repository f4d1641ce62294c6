// Where a server spends its time: a summary of the profile that `node --cpu-prof` writes on exit.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})

const SHOWN = 25

export interface Profiling {
  /** The arguments for Node. */
  args: string[]
  /** Prints the most expensive functions, once the process has exited. */
  print(): void
}

export function startProfiling(): Profiling {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-profile-'))
  return {
    args: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
    print() {
      for (const file of readdirSync(folder)) {
        const profile = profileSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
        console.log(`\n${selfTimes(profile).join('\n')}\n`)
      }
      rmSync(folder, { recursive: true })
    },
  }
}

/** The functions with the most self time, as shares of the time that was not idle. */
export function selfTimes({ nodes, samples, timeDeltas }: z.infer<typeof profileSchema>): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? ''
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  times.delete('(idle)')
  const all = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => `${((100 * time) / all).toFixed(1).padStart(5)} %  ${name}`)
}

function describe({
  functionName,
  url,
  lineNumber,
}: {
  functionName: string
  url: string
  lineNumber: number
}): string {
  if (url === '') return functionName
  const file = url.replace(/^.*\/(node_modules|dist)\//, '')
  return `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`
}
