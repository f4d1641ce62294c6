import { randomBytes } from 'node:crypto'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { RevocationMap } from '../../wire/revocation-map.js'

type Listener = (news: readonly RevocationEntry[]) => void

/** The entries as others get them: all at first, then the news. */
export interface Feed {
  /** Takes entries in and passes on the news among them. */
  take(entries: readonly RevocationEntry[]): void
  /** The position of the feed: a reader that has seen everything so far needs only what comes after it. */
  cursor(): string
  /** What came after a cursor; all entries where there is none, or another instance or an earlier run gave it. */
  entriesAfter(cursor: string | null): RevocationEntry[]
  /** Calls back with news; answers what ends that. */
  listen(listener: Listener): () => void
}

/** A cursor is the feed's random id and a position in it. Positions are this process's own: another starts over. */
export function createFeed(map: RevocationMap): Feed {
  const id = randomBytes(12).toString('base64url')
  const listeners = new Set<Listener>()

  function positionOf(cursor: string | null): number {
    const [feed, position = ''] = cursor?.split('.') ?? []
    const isOurs = feed === id && /^\d{1,15}$/.test(position) && Number(position) <= map.position
    return isOurs ? Number(position) : 0
  }

  return {
    take(entries) {
      const news = map.merge(entries)
      if (news.length > 0) for (const listener of listeners) listener(news)
    },
    cursor: () => `${id}.${map.position}`,
    entriesAfter: (cursor) => map.entriesAfter(positionOf(cursor)),
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
