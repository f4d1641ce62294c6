import { z } from 'zod'
import { feedEventSchemas, revocationListSchema } from '../../wire/revocation.js'
import { createEventParser, type ServerSentEvent } from '../../wire/event-parser.js'
import { ask, createDeadline, readText, type Fetch } from './http.js'

/** A stream sends a beat every second. A stream that is silent for this long may be buffered, by a proxy for example. */
const SILENCE_MS = 3_000
const POLL_TIMEOUT_MS = 3_000

/** Room for half a million entries: more than ten times the revocations of a day with a million of them. */
const MAX_LIST_BYTES = 67_108_864
const MAX_EVENT_LENGTH = 4_194_304

// Entries are parsed one by one, so that an unknown kind does not hide the others.
const entries = z.array(z.unknown())
const entriesSchema = z.object({ entries })
const clientsSchema = z.object({ clients: entries })
// A server of version 0.1 has no entries of clients.
const listSchema = revocationListSchema.extend({ entries, clients: entries.default([]) })

export interface FeedSource {
  url: string
  credential: string
  fetch: Fetch
  stop: AbortSignal
}

/** A message of the feed. Its cursor covers all earlier messages. */
export interface FeedNews {
  entries: readonly unknown[]
  /** The entries of clients. */
  clients: readonly unknown[]
  /** The age of the instance's own list; absent if more entries follow. */
  ageMs?: number
  cursor: string
}

/** The feed refused the credential. A retry succeeds only after a change of settings. */
export class FeedRefusedError extends Error {
  override readonly name = 'FeedRefusedError'
}

/** Fetches the entries after a cursor, or all entries. Throws if the server does not respond in time. */
export async function readList({ url, credential, fetch, stop }: FeedSource, cursor: string): Promise<FeedNews> {
  const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`
  const { status, text } = await ask(`${url}/v1/revocations${query}`, {
    fetch,
    stop,
    timeoutMs: POLL_TIMEOUT_MS,
    maxBytes: MAX_LIST_BYTES,
    headers: { authorization: `Bearer ${credential}` },
  })
  requireAnswered(status)
  const list = listSchema.parse(JSON.parse(text))
  return { entries: list.entries, clients: list.clients, ageMs: list.age_ms, cursor: list.cursor }
}

/** Streams the entries after a cursor until the stream ends or is silent, and then throws. */
export async function* readStream(
  { url, credential, fetch, stop }: FeedSource,
  cursor: string,
): AsyncGenerator<FeedNews, never> {
  const deadline = createDeadline(stop, SILENCE_MS)
  try {
    const response = await fetch(`${url}/v1/revocations/stream`, {
      headers: {
        authorization: `Bearer ${credential}`,
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
        ...(cursor === '' ? {} : { 'last-event-id': cursor }),
      },
      redirect: 'error',
      signal: deadline.signal,
    })
    requireAnswered(response.status)
    const parser = createEventParser(MAX_EVENT_LENGTH)
    for await (const text of readText(response, deadline.signal)) {
      for (const event of parser.push(text)) {
        const news = parseEvent(event)
        if (news === null) continue
        deadline.extend()
        yield news
      }
    }
    throw new Error('The revocation stream ended.')
  } finally {
    deadline.end()
  }
}

/** Null for events that are not part of the protocol. */
function parseEvent({ type, data, id }: ServerSentEvent): FeedNews | null {
  switch (type) {
    case 'entries':
      return { ...entriesSchema.parse(JSON.parse(data)), clients: [], cursor: id }
    case 'clients':
      return { ...clientsSchema.parse(JSON.parse(data)), entries: [], cursor: id }
    case 'beat':
      return { entries: [], clients: [], ageMs: feedEventSchemas.beat.parse(JSON.parse(data)).age_ms, cursor: id }
    default:
      return null
  }
}

function requireAnswered(status: number): void {
  if (status === 401) {
    throw new FeedRefusedError(
      'The server rejected the verifier credential: check that its hash is listed in VERIFIER_KEYS, or that its client is ' +
        'enabled and may introspect.',
    )
  }
  if (status !== 200) throw new Error(`The revocation feed responded with status ${status}.`)
}
