import { createEventParser } from '../../wire/event-parser.js'
import type { ClientClock, Fetch } from './options.js'
import type { WebLocks } from './platform.js'
import { createDeadline } from './deadline.js'
import type { Held } from './held.js'
import type { Session } from './session.js'

/** The server sends something every 15 s. A stream that is silent for longer is considered lost. */
const SILENCE_MS = 40_000
const LONGEST_PAUSE_MS = 30_000
const MAX_EVENT_LENGTH = 65_536

export interface FollowingOptions {
  fetch: Fetch
  session: Session
  clock: ClientClock
  refresh: (stale: Held | null) => Promise<Held>
  /** Only the tab that holds this lock listens, because browsers limit the connections to a host. */
  lock: { locks: WebLocks; name: string } | null
}

/**
 * Listens to the events of the session until the signal aborts. Each event triggers a refresh, which determines the state
 * of the session and notifies all tabs.
 */
export async function followEvents(options: FollowingOptions, stop: AbortSignal): Promise<void> {
  const { lock } = options
  if (lock === null) return keepFollowing(options, stop)
  try {
    await lock.locks.request(lock.name, { signal: stop }, () => keepFollowing(options, stop))
  } catch {
    // Stopped while another tab followed.
  }
}

async function keepFollowing(options: FollowingOptions, stop: AbortSignal): Promise<void> {
  const { session, clock } = options
  let failures = 0
  while (!stop.aborted) {
    if (session.state.status !== 'signed_in') {
      await untilChange(session, stop)
      continue
    }
    failures = (await follow(options, stop)) ? 0 : failures + 1
    await clock.pause(Math.min(LONGEST_PAUSE_MS, 2 ** failures * (250 + Math.random() * 250)), stop)
  }
}

/** Whether a stream was opened. It ends with its access token, or with the session. */
async function follow({ fetch, session, refresh }: FollowingOptions, stop: AbortSignal): Promise<boolean> {
  const silence = createDeadline(SILENCE_MS, stop)
  try {
    const response = await fetch('/v1/events', { headers: { accept: 'text/event-stream' }, signal: silence.signal })
    // Without a stream, as of React Native's `fetch`, this throws.
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
    if (!response.ok || reader === undefined) return false
    const parser = createEventParser(MAX_EVENT_LENGTH)
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), silence.late])
      if (done) return true
      silence.extend()
      const events = parser.push(decoder.decode(value, { stream: true }))
      if (events.some(({ type }) => type === 'session.ended' || type === 'claims.changed')) await refresh(session.held)
    }
  } catch {
    // The state says whether the user is signed out or the stream should be retried.
    return false
  } finally {
    silence.end()
  }
}

function untilChange(session: Session, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      forget()
      stop.removeEventListener('abort', end)
      resolve()
    }
    const forget = session.onChange(end)
    stop.addEventListener('abort', end)
  })
}
