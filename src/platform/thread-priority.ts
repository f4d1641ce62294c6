import { readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { setPriority } from 'node:os'

/**
 * A nice value: a quarter of the CPU time when others need it, and all of it otherwise. Ten would mean a tenth, which
 * makes requests no faster, and logins slow beside a busy database.
 */
const BEHIND_REQUESTS = 5

/** How often threads are requested from the pool: in one round, a fast thread may answer twice. */
const ROUNDS = 8
const QUESTIONS_AT_ONCE = 64

/**
 * Gives the hashing threads a lower priority than the thread that answers requests, when both need the same core: a
 * hash takes as long as a hundred requests, and a login waits for it anyway. Only Linux has priorities per thread;
 * elsewhere this does nothing. Returns the ids of the threads.
 */
export async function putPoolBehindRequests(): Promise<number[]> {
  if (process.platform !== 'linux') return []
  try {
    const threads = await findPoolThreads()
    for (const thread of threads) setPriority(thread, BEHIND_REQUESTS)
    return threads
  } catch {
    // A sandbox may hide /proc or forbid priorities, which are optional.
    return []
  }
}

/**
 * An asynchronous file read runs on a thread of the pool, and this file contains the id of the thread that reads it.
 */
async function findPoolThreads(): Promise<number[]> {
  const found = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const questions = Array.from({ length: QUESTIONS_AT_ONCE }, () => readlink('/proc/thread-self'))
    const links = await Promise.all(questions)
    for (const link of links) found.add(basename(link))
  }
  return [...found].map(Number)
}
