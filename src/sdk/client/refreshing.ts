import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import { ClientError } from './client-error.js'
import type { Credential, Presented } from './credential.js'
import { errorOf, jsonRequest, type Answer } from './http.js'
import type { Hold, Lock } from './lock.js'
import type { ClientClock } from './options.js'
import { judgeRefresh } from './refresh-outcome.js'
import type { Held } from './held.js'
import type { Session } from './session.js'
import type { Tabs } from './tabs.js'

/** How often one call tries, a network fault counted. Whoever comes later goes on with the same attempt. */
const TRIES = 4
const FIRST_PAUSE_MS = 500

/** A server that asks for more patience than this is left alone, and the caller told. */
const LONGEST_PAUSE_MS = 5_000

/** How long another tab has to answer. It hears the question unless it is gone or frozen. */
const TAB_ANSWERS_MS = 50

export interface RefreshingOptions {
  mode: Mode
  lock: Lock
  credential: Credential
  session: Session
  tabs: Tabs
  clock: ClientClock
  /** Calls a route of Sallyport with what its mode lets travel along. */
  send: (path: string, init: RequestInit, signal?: AbortSignal) => Promise<Answer>
}

/**
 * Makes what refreshes: one at a time in this tab and among all of them. It answers tokens that are newer than `stale`,
 * whoever got them, and throws `session_ended` or a code `refresh_token_*` when the session is over, else what keeps it
 * from refreshing now.
 */
export function createRefreshing(options: RefreshingOptions): (stale: Held | null) => Promise<Held> {
  const { lock, session } = options
  let underWay: Promise<Held> | null = null

  return (stale) => {
    // Asked for too late: meanwhile somebody has got new ones.
    if (session.held !== null && session.held !== stale) return Promise.resolve(session.held)
    underWay ??= lock.run((hold) => renew(options, stale, hold)).finally(() => (underWay = null))
    return underWay
  }
}

async function renew(options: RefreshingOptions, stale: Held | null, { signal, waited }: Hold): Promise<Held> {
  const { session, tabs, clock } = options
  const findNews = () => (session.held === stale ? null : session.held)
  if (waited && findNews() === null) {
    // Whoever held the lock may have refreshed, and what it told the others may still be on its way.
    tabs.ask()
    await clock.pause(TAB_ANSWERS_MS, signal)
  }
  return findNews() ?? session.adopt(await present(options, signal))
}

async function present(options: RefreshingOptions, signal: AbortSignal): Promise<TokenReply> {
  const { mode, credential, session, clock, send } = options
  for (let tries = 1; ; tries += 1) {
    // Read at each try: after a 409, or in another program, the successor may be there by now.
    const presented = await credential.begin()
    requireHold(signal)
    if (presented === null) {
      session.end(null)
      throw new ClientError('refresh_token_missing')
    }
    const answer = await answerOf(send('/v1/auth/refresh', requestOf(presented), signal))
    requireHold(signal)
    const refused = answer instanceof ClientError ? answer : errorOf(answer)
    const judged = answer instanceof ClientError ? ({ outcome: 'again' } as const) : judgeRefresh(answer, mode)
    switch (judged.outcome) {
      case 'renewed':
        if (await credential.complete(presented, judged.reply.refresh_token)) return judged.reply
        break
      case 'ended':
        // A store that fails keeps a token that is refused again at the next start.
        if (!(await credential.forget(presented).catch(() => true))) break
        session.end(reasonOf(refused))
        throw refused
      case 'refused':
        throw refused
      case 'again':
        await pauseAfter(tries, refused, clock, signal)
    }
    requireHold(signal)
    // Another program with the same store has put a newer token there, which is what counts.
    if (tries === TRIES) throw new ClientError('superseded')
  }
}

function requestOf({ token, attempt }: Presented): RequestInit {
  const body = token === undefined ? undefined : { refresh_token: token }
  return jsonRequest('POST', body, attempt === undefined ? {} : { 'idempotency-key': attempt })
}

/** An answer, or that there was none. */
async function answerOf(asked: Promise<Answer>): Promise<Answer | ClientError> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ClientError && error.code === 'unreachable') return error
    throw error
  }
}

/** Longer after each try, and never the same for two clients that lost the same server. Throws where it is too long. */
async function pauseAfter(tries: number, refused: ClientError, clock: ClientClock, signal: AbortSignal): Promise<void> {
  const backOffMs = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2)
  const pauseMs = Math.max(backOffMs, (refused.retryAfterSeconds ?? 0) * 1000)
  if (tries === TRIES || pauseMs > LONGEST_PAUSE_MS) throw refused
  await clock.pause(pauseMs, signal)
}

/** A late answer must not undo what has been done by whoever took the lock. */
function requireHold(signal: AbortSignal): void {
  if (signal.aborted) throw new ClientError('superseded')
}

function reasonOf({ code, reason }: ClientError): AnyEndReason | null {
  return code === 'refresh_token_reused' ? 'reuse_detected' : (reason ?? null)
}
