/** More at once would make smaller batches of the same work: one is with the database while the next comes together. */
export const CONCURRENT_BATCHES = 2
/** What a database answers within a few milliseconds. */
export const MAX_BATCH_SIZE = 100

/** One item of work that may share a batch with others. */
export interface BatchedWork {
  /** Items with the same subject run one after the other. */
  subject: string
  /** Whether a caller still waits for the result; otherwise the item is not started. */
  isAwaited(): boolean
}

export interface Batching<Work extends BatchedWork, Result> {
  /** Adds an item to the next batch and returns its result. */
  add(work: Work): Promise<Result>
}

interface BatchingOptions<Work, Result> {
  /** Processes all items in one operation and returns their results in the same order. */
  doAll(batch: readonly Work[]): Promise<readonly Result[]>
  /** The maximum number of concurrent batches. Items that arrive meanwhile form the next one. */
  concurrency: number
  maxBatchSize: number
}

/**
 * Combines concurrent work into batches. A single item is sent immediately; concurrent items share one statement. A
 * batch starts when fewer than the maximum are running and the event loop has read the requests that had arrived. If a
 * batch fails, its items are retried one by one: the batch may have been committed, or a single item may have failed it.
 */
export function createBatching<Work extends BatchedWork, Result>(
  options: BatchingOptions<Work, Result>,
): Batching<Work, Result> {
  const { doAll, concurrency, maxBatchSize } = options
  const ready: Item<Work, Result>[] = []
  // The waiting items, by the subject of the item that is queued or running.
  const following = new Map<string, Item<Work, Result>[]>()
  let batchesInWork = 0
  let isDue = false

  function enter(item: Item<Work, Result>): void {
    const { subject } = item.work
    const followers = following.get(subject)
    if (followers) {
      followers.push(item)
      return
    }
    following.set(subject, [])
    ready.push(item)
    if (isDue) return
    isDue = true
    setImmediate(startBatches)
  }

  function startBatches(): void {
    isDue = false
    while (batchesInWork < concurrency && ready.length > 0) void doBatch(ready.splice(0, maxBatchSize))
  }

  async function doBatch(items: Item<Work, Result>[]): Promise<void> {
    batchesInWork += 1
    try {
      await doTogether(items)
    } catch {
      await Promise.all(items.map((item) => doTogether([item]).catch(item.reject)))
    }
    batchesInWork -= 1
    for (const item of items) leave(item)
    startBatches()
  }

  async function doTogether(items: Item<Work, Result>[]): Promise<void> {
    const awaited = items.filter(({ work }) => work.isAwaited())
    if (awaited.length === 0) return
    const results = await doAll(awaited.map(({ work }) => work))
    if (results.length !== awaited.length) throw new Error('A batch needs one result for each item of work.')
    for (const [index, result] of results.entries()) awaited[index]?.resolve(result)
  }

  /** Queues the next item of the same subject. */
  function leave({ work: { subject } }: Item<Work, Result>): void {
    const followers = following.get(subject) ?? []
    following.delete(subject)
    for (const item of followers) enter(item)
  }

  return { add: (work) => new Promise((resolve, reject) => enter({ work, resolve, reject })) }
}

interface Item<Work, Result> {
  work: Work
  resolve(result: Result): void
  reject(error: unknown): void
}
