// Reads the revocation feed like a verifier, but without the SDK: as text.

import type { Readable } from 'node:stream'
import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { until } from './until.js'

export interface FeedEvent {
  event: string
  id?: string
  data: {
    entries?: { kind: string; sid?: string; sub?: string; kid?: string; epoch?: number }[]
    clients?: { client_id: string; epoch: number }[]
    age_ms?: number
  }
}

export interface OpenFeed {
  status: number
  headers: IncomingMessage['headers']
  /** The events received so far. */
  events: FeedEvent[]
  /** All text received so far. */
  text(): string
  /** Whether the server has ended the stream. */
  ended(): boolean
  /** Waits for an event. */
  next(isIt: (event: FeedEvent) => boolean): Promise<FeedEvent>
  /** Stops reading, like a reader that hangs. */
  pause(): void
  close(): void
}

interface Test {
  teardown(work: () => void): void
}

/** Opens a stream of events at an address of the loopback interface. */
export async function openFeed(
  t: Test,
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<OpenFeed> {
  const request = get({ host: '127.0.0.1', port, path, headers, agent: false })
  request.on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  let ended = false
  const stream: Readable = response.setEncoding('utf8')
  stream.on('data', (chunk: string) => (text += chunk))
  stream.on('error', () => undefined)
  stream.on('close', () => (ended = true))
  t.teardown(() => request.destroy())
  const events = () => text.split('\n\n').slice(0, -1).flatMap(parseEvent)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    get events() {
      return events()
    },
    text: () => text,
    ended: () => ended,
    async next(isIt) {
      await until(() => Promise.resolve(events().some(isIt)))
      const found = events().find(isIt)
      if (!found) throw new Error('The event is missing.')
      return found
    },
    pause: () => stream.pause(),
    close: () => request.destroy(),
  }
}

function parseEvent(block: string): FeedEvent[] {
  const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
  const { event, id, data } = fields
  if (event === undefined || data === undefined) return []
  return [{ event, data: JSON.parse(data) as FeedEvent['data'], ...(id === undefined ? {} : { id }) }]
}
