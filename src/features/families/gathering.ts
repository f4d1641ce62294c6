/** One piece of work of many that are done together. */
export interface Gathered {
  /** Of one subject there is never more than one piece in work: the next waits until the one before it is settled. */
  subject: string
  /** Whether anybody still waits for it: what nobody does is not begun. */
  isAwaited(): boolean
}

export interface Gathering<Work extends Gathered, Result> {
  /** Has work done together with what else comes at about the same time. */
  add(work: Work): Promise<Result>
}

interface GatheringOptions<Work, Result> {
  /** Does all of the work at once; answers the results in the same order. */
  doAll(batch: readonly Work[]): Promise<readonly Result[]>
  /** How many batches are in work at the same time. What comes meanwhile makes up the next one. */
  atOnce: number
  mostInBatch: number
}

/**
 * Gathers work into batches. Nothing waits for company: a batch starts when a place is free and the event loop has
 * taken in what had arrived, so a lone piece goes at once and a crowd pays one round trip. Where a batch fails, it may
 * be unknown whether it was done, or one piece may have failed all: each is done again by itself.
 */
export function createGathering<Work extends Gathered, Result>(
  options: GatheringOptions<Work, Result>,
): Gathering<Work, Result> {
  const { doAll, atOnce, mostInBatch } = options
  const ready: Piece<Work, Result>[] = []
  // By the subject of each piece that is ready or in work: those that wait for it.
  const following = new Map<string, Piece<Work, Result>[]>()
  let batchesInWork = 0
  let isDue = false

  function enter(piece: Piece<Work, Result>): void {
    const { subject } = piece.work
    const followers = following.get(subject)
    if (followers) {
      followers.push(piece)
      return
    }
    following.set(subject, [])
    ready.push(piece)
    if (isDue) return
    isDue = true
    setImmediate(startBatches)
  }

  function startBatches(): void {
    isDue = false
    while (batchesInWork < atOnce && ready.length > 0) void doBatch(ready.splice(0, mostInBatch))
  }

  async function doBatch(pieces: Piece<Work, Result>[]): Promise<void> {
    batchesInWork += 1
    try {
      await doTogether(pieces)
    } catch {
      await Promise.all(pieces.map((piece) => doTogether([piece]).catch(piece.reject)))
    }
    batchesInWork -= 1
    for (const piece of pieces) leave(piece)
    startBatches()
  }

  async function doTogether(pieces: Piece<Work, Result>[]): Promise<void> {
    const awaited = pieces.filter(({ work }) => work.isAwaited())
    if (awaited.length === 0) return
    const results = await doAll(awaited.map(({ work }) => work))
    if (results.length !== awaited.length) throw new Error('A batch needs one result for each piece of work.')
    for (const [index, result] of results.entries()) awaited[index]?.resolve(result)
  }

  /** Lets the next of the same subject have its turn. */
  function leave({ work: { subject } }: Piece<Work, Result>): void {
    const followers = following.get(subject) ?? []
    following.delete(subject)
    for (const piece of followers) enter(piece)
  }

  return { add: (work) => new Promise((resolve, reject) => enter({ work, resolve, reject })) }
}

interface Piece<Work, Result> {
  work: Work
  resolve(result: Result): void
  reject(error: unknown): void
}
