import { presentRevocation } from '../../wire/revocation.js'
import type { EventStream } from '../../platform/http/event-stream.js'
import type { Revocations } from './revocation.js'

/** How often a beat confirms that everything was sent, and how current it is. */
const BEAT_MS = 1000

/** About 50 kB: the most that is buffered for a slow reader. */
const BATCH = 500

/**
 * Sends a verifier all entries, or those after its cursor, and then new ones. Nothing is queued for a reader: it gets
 * the entries after its last batch. Ends when the reader disconnects, and when this instance itself is stale, so that
 * the verifier connects to another.
 */
export async function streamRevocations(
  stream: EventStream,
  revocations: Pick<Revocations, 'feed' | 'ageMs' | 'isStale'>,
  lastEventId: string | null,
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
    const entries = feed.entriesAfter(cursor).map(presentRevocation)
    cursor = feed.cursor()
    const news = new Promise<void>((resolve) => (wake = resolve))
    for (let start = 0; start < entries.length; start += BATCH) {
      const isLast = start + BATCH >= entries.length
      const batch = entries.slice(start, start + BATCH)
      await stream.send({ event: 'entries', data: { entries: batch }, ...(isLast && { id: cursor }) })
    }
    if (revocations.isStale()) stream.end()
    await stream.send({ event: 'beat', id: cursor, data: { age_ms: Math.round(revocations.ageMs()) } })
    await withinABeat(news)
  }
}

async function withinABeat(news: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const beat = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, BEAT_MS)
  })
  await Promise.race([news, beat])
  clearTimeout(timer)
}
