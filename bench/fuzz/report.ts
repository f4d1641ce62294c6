import { nameOf } from './judging.js'
import type { Finding, Outcome } from './run.js'
import { asCurl } from './sending.js'

/** The number of responses by operation and result. */
export function printCounts(counts: Outcome['counts']): string {
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, statuses]) => {
      const all = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status} × ${count}`)
      return `${name.padEnd(22)} ${all.join(', ')}`
    })
    .join('\n')
}

// Long addresses are cut; the seed reproduces the whole request.
const SHOWN = 160
const SHOWN_COMMAND = 4000

/** The request, the response, and how to reproduce it. */
export function printFinding(
  { index, request, answer, faults }: Finding,
  { url, seed, visitors }: { url: string; seed: number; visitors: number },
): string {
  return [
    `${nameOf(request)}: ${request.method} ${request.path.slice(0, SHOWN)}`,
    ...faults.map((fault) => `  The answer ${fault}.`),
    ...(answer === null ? [] : [`  ${answer.status} ${answer.text.slice(0, 500)}`]),
    `  ${asCurl(url, request).slice(0, SHOWN_COMMAND)}`,
    `  Again: npm run fuzz -- --seed ${seed} --visitors ${visitors} --requests ${index + 1}`,
  ].join('\n')
}
