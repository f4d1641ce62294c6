import { readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { setPriority } from 'node:os'

/**
 * A nice value: a quarter of the processor's time where somebody else wants all of it, and all of it where nobody does.
 * Ten would be a tenth, which keeps requests no quicker, and logins waiting wherever a database is busy beside them.
 */
const BEHIND_REQUESTS = 5

/** How often the pool is asked for its threads: in one round a quick one may answer for a slow one. */
const ROUNDS = 8
const QUESTIONS_AT_ONCE = 64

/**
 * Lets the threads that hash step back for the one that answers requests, where both want the same core: a hash takes
 * as long as a hundred requests, and whoever logs in waits for it anyway. Only Linux has a priority for each thread;
 * elsewhere nothing happens. Answers the ids of the threads.
 */
export async function putPoolBehindRequests(): Promise<number[]> {
  if (process.platform !== 'linux') return []
  try {
    const threads = await findPoolThreads()
    for (const thread of threads) setPriority(thread, BEHIND_REQUESTS)
    return threads
  } catch {
    // A sandbox may hide /proc or forbid priorities. All works without them.
    return []
  }
}

/** A file that is read without blocking is read by a thread of the pool, and this one names the thread that reads it. */
async function findPoolThreads(): Promise<number[]> {
  const found = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const questions = Array.from({ length: QUESTIONS_AT_ONCE }, () => readlink('/proc/thread-self'))
    const links = await Promise.all(questions)
    for (const link of links) found.add(basename(link))
  }
  return [...found].map(Number)
}
