import { setTimeout as pause } from 'node:timers/promises'

/** Waits until something is so, and gives up after a time in which it would be on any machine. */
export async function until(isSo: () => Promise<boolean>, patienceMs = 120_000): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('What the test waits for did not happen.')
    await pause(10)
  }
}
