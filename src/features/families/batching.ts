/** One item of work that may share a batch with others. */
export interface BatchedWork {
  /** Items of one subject are never in work at the same time: the next waits until the one before it is settled. */
  subject: string
  /** Whether a caller still waits for it. An item that is not awaited is not begun. */
  isAwaited(): boolean
}

export interface Batching<Work extends BatchedWork, Result> {
  /** Adds an item to the next batch; answers its result. */
  add(work: Work): Promise<Result>
}

interface BatchingOptions<Work, Result> {
  /** Does all of the work at once; answers the results in the same order. */
  doAll(batch: readonly Work[]): Promise<readonly Result[]>
  /** How many batches are in work at the same time. Items that arrive meanwhile make up the next one. */
  concurrency: number
  maxBatchSize: number
}

/**
 * Combines concurrent work into batches. A single item is sent immediately; concurrent items share one statement. A
 * batch starts when a place is free and the event loop has read what had arrived. Where a batch fails, it may be unknown
 * whether it was done, or one item may have failed all: each is done again by itself.
 */
export function createBatching<Work extends BatchedWork, Result>(
  options: BatchingOptions<Work, Result>,
): Batching<Work, Result> {
  const { doAll, concurrency, maxBatchSize } = options
  const ready: Item<Work, Result>[] = []
  // By the subject of each item that is ready or in work: those that wait for it.
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

  /** Lets the next of the same subject have its turn. */
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
