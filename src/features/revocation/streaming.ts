import { presentRevocations, type RevocationEntry } from '../../wire/revocation.js'
import type { EventStream, ServerSentEvent } from '../../platform/http/event-stream.js'
import type { Revocations } from './revocation.js'

/** How often a beat confirms that everything was sent, and how current it is. */
const BEAT_MS = 1000

/** About 50 kB: the most that is buffered for a slow reader. */
const BATCH = 500

export interface StreamingOptions {
  revocations: Pick<Revocations, 'feed' | 'ageMs' | 'isStale'>
  lastEventId: string | null
  /** Whether the verifier may still read: its client may be disabled at any time. */
  isAdmitted: () => Promise<boolean>
}

/**
 * Sends a verifier all entries, or those after its cursor, and then new ones. Nothing is queued for a reader: it gets
 * the entries after its last batch. Ends when the reader disconnects or is not admitted any more, and when this instance
 * itself is stale, so that the verifier connects to another.
 */
export async function streamRevocations(
  stream: EventStream,
  { revocations, lastEventId, isAdmitted }: StreamingOptions,
): Promise<void> {
  const { feed } = revocations
  let wake = (): void => undefined
  const stopListening = feed.listen(() => wake())
  stream.onEnd(() => {
    stopListening()
    wake()
  })

  for (let cursor = lastEventId; !stream.ended;) {
    // Both are read synchronously, so that no change comes in between.
    const entries = feed.entriesAfter(cursor)
    cursor = feed.cursor()
    const news = new Promise<void>((resolve) => (wake = resolve))
    const batches = batchesOf(entries)
    for (const [index, batch] of batches.entries()) {
      await stream.send({ ...batch, ...(index === batches.length - 1 && { id: cursor }) })
    }
    if (revocations.isStale()) stream.end()
    await stream.send({ event: 'beat', id: cursor, data: { age_ms: Math.round(revocations.ageMs()) } })
    await withinABeat(news)
    if (!(await isAdmitted())) stream.end()
  }
}

/** Those of clients first: what has an id then is known to every verifier, unless there is nothing else. */
function batchesOf(all: readonly RevocationEntry[]): ServerSentEvent[] {
  const { entries, clients } = presentRevocations(all)
  return [
    ...inBatches(clients).map((batch) => ({ event: 'clients', data: { clients: batch } })),
    ...inBatches(entries).map((batch) => ({ event: 'entries', data: { entries: batch } })),
  ]
}

function inBatches<T>(items: readonly T[]): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) => index * BATCH)
  return starts.map((start) => items.slice(start, start + BATCH))
}

async function withinABeat(news: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const beat = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, BEAT_MS)
  })
  await Promise.race([news, beat])
  clearTimeout(timer)
}
