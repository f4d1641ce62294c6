import { setTimeout as pause } from 'node:timers/promises'

/** Waits until a condition holds, and gives up after longer than it takes on any machine. */
export async function until(isSo: () => Promise<boolean>, patienceMs = 120_000): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('The expected condition did not occur.')
    await pause(10)
  }
}
