/**
 * Owns the events that signed-in users receive about their own session while connected: that it has ended, or that
 * their claims have changed. It only passes on the entries of revocation; nothing is decided here.
 */
import type { FastifyBaseLogger } from 'fastify'
import type { UserClaims } from '../../wire/claims.js'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { Clock } from '../../platform/clock.js'
import type { EventStream } from '../../platform/http/event-stream.js'
import { Problem } from '../../platform/problem.js'
import type { Families } from '../families/families.js'
import type { Revocations } from '../revocation/revocation.js'

export interface UserEventsOptions {
  revocations: Pick<Revocations, 'feed' | 'judge'>
  families: Pick<Families, 'findEndReason'>
  clock: Clock
  log: FastifyBaseLogger
}

export interface UserEvents {
  /**
   * Opens a stream and sends it the events of the claims' session. It ends with the session, or with the access token
   * that opened it. Throws `rate_limited` if the user has too many.
   */
  follow(claims: UserClaims, open: () => EventStream): void
}

/** Some tabs on some devices. A client with more of them does not close its streams. */
const MAX_STREAMS_PER_USER = 10

const CHECK_MS = 1000

/** Proxies close idle connections, most of them after a minute. */
const BEAT_EVERY_CHECKS = 15

interface Follower {
  claims: UserClaims
  stream: EventStream
}

export function createUserEvents({ revocations, families, clock, log }: UserEventsOptions): UserEvents {
  const followers = new Map<string, Set<Follower>>()
  let timer: NodeJS.Timeout | undefined
  let checks = 0

  revocations.feed.listen((news) => {
    for (const entry of news) passOn(entry)
  })

  function passOn(entry: RevocationEntry): void {
    if (entry.kind === 'session') {
      for (const follower of allFollowers()) if (follower.claims.sid === entry.sid) void tellEnd(follower)
    } else if (entry.kind === 'user') {
      for (const { claims, stream } of followers.get(entry.sub) ?? []) {
        if (claims.epoch < entry.epoch) void stream.send({ event: 'claims.changed', data: {} })
      }
    }
  }

  async function tellEnd({ claims, stream }: Follower): Promise<void> {
    const reason = await families.findEndReason(claims.sid).catch((error: unknown) => {
      log.warn({ err: error }, 'end reason of a session could not be read')
      return null
    })
    await stream.send({ event: 'session.ended', data: { session_id: claims.sid, ...(reason && { reason }) } })
    stream.end()
  }

  function allFollowers(): Follower[] {
    return [...followers.values()].flatMap((ofUser) => [...ofUser])
  }

  function check(): void {
    checks += 1
    const nowSeconds = clock.now().getTime() / 1000
    for (const { claims, stream } of allFollowers()) {
      if (claims.exp <= nowSeconds) stream.end()
      else if (checks % BEAT_EVERY_CHECKS === 0) void stream.send({ event: 'beat', data: {} })
    }
  }

  function add(follower: Follower): void {
    const { sub } = follower.claims
    const ofUser = followers.get(sub) ?? new Set()
    followers.set(sub, ofUser.add(follower))
    timer ??= setInterval(check, CHECK_MS)
    follower.stream.onEnd(() => {
      ofUser.delete(follower)
      if (ofUser.size === 0) followers.delete(sub)
      if (followers.size > 0) return
      clearInterval(timer)
      timer = undefined
    })
  }

  return {
    follow(claims, open) {
      if ((followers.get(claims.sub)?.size ?? 0) >= MAX_STREAMS_PER_USER) {
        throw new Problem('rate_limited', {
          detail: `This user already has ${MAX_STREAMS_PER_USER} open streams. Close one of them, then retry.`,
          retryAfterSeconds: 10,
        })
      }
      const follower = { claims, stream: open() }
      add(follower)
      // Changes since the check of the token have not been reported to this stream.
      const verdict = revocations.judge(claims)
      if (verdict === 'session_ended') void tellEnd(follower)
      if (verdict === 'token_stale') void follower.stream.send({ event: 'claims.changed', data: {} })
    },
  }
}
