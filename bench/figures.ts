/** The median. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The given percentile. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN
}

/** Prints a figure with its goal. */
export function report(
  what: string,
  figure: number,
  { goal, unit = '', atLeast = false, digits = 0 }: { goal: number; unit?: string; atLeast?: boolean; digits?: number },
): void {
  const isMet = atLeast ? figure >= goal : figure <= goal
  const shown = `${figure.toFixed(digits).padStart(7)} ${unit.padEnd(4)}`
  console.log(`${what.padEnd(58)} ${shown} goal ${atLeast ? '≥' : '≤'} ${goal} ${unit}: ${isMet ? 'met' : 'MISSED'}`)
}
