import { randomBytes } from 'node:crypto'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { RevocationMap } from '../../wire/revocation-map.js'

type Listener = (news: readonly RevocationEntry[]) => void

/** The entries for verifiers: all of them first, then new ones. */
export interface Feed {
  /** Adds entries and passes on the new ones among them. */
  take(entries: readonly RevocationEntry[]): void
  /** The current position of the feed: a reader that has received everything so far continues from here. */
  cursor(): string
  /** The entries after a cursor; all of them without a cursor, or with one of another instance or an earlier run. */
  entriesAfter(cursor: string | null): RevocationEntry[]
  /** Calls back with new entries; returns a function that unsubscribes. */
  listen(listener: Listener): () => void
}

/**
 * A cursor is the feed's random id and a position in it. Positions are specific to this process: another one starts
 * over.
 */
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
