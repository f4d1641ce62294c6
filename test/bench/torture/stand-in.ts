import { randomUUID } from 'node:crypto'
import type { Answer, Held, Target } from '../../../bench/torture/target.js'
import type { World } from '../../../bench/torture/world.js'

/** How a made-up target treats its tokens. */
export interface Rules {
  /** Whether each use issues a new token. */
  rotates: boolean
  /** Whether a token that was used before ends the session, or is only refused. */
  endsOnReuse: boolean
}

interface Session {
  current: string
  live: boolean
}

/** A target in memory, where no time passes. */
export function createStandIn({ rotates, endsOnReuse }: Rules): World {
  const sessions = new Map<string, Session>()

  function serve(session: Session): Held {
    session.current = randomUUID()
    sessions.set(session.current, session)
    return { refreshToken: session.current, accessToken: session.current }
  }

  function present({ refreshToken }: Held): Answer {
    const session = sessions.get(refreshToken)
    if (!session?.live) return { outcome: 'refused', how: 'ended' }
    if (!rotates) return { outcome: 'served', held: { refreshToken, accessToken: refreshToken } }
    if (refreshToken === session.current) return { outcome: 'served', held: serve(session) }
    if (endsOnReuse) session.live = false
    return { outcome: 'refused', how: 'reused' }
  }

  const signIn = () => Promise.resolve(serve({ current: '', live: true }))
  const target: Target = {
    signUp: async () => ({ user: 'user', held: await signIn() }),
    signIn,
    async refresh(held, { fate }) {
      // Requests interleave, as they do on a network.
      await Promise.resolve()
      const answer = present(held)
      if (fate?.kind === 'repeat') for (let again = 1; again < fate.times; again += 1) present(held)
      return fate?.kind === 'lose' ? { outcome: 'lost' } : answer
    },
    isAlive: ({ accessToken }) => Promise.resolve(sessions.get(accessToken)?.live ?? false),
    prepareStandby: () => Promise.resolve(),
    failOver: () => Promise.resolve(),
    restart: () => Promise.resolve(),
    // It has no database.
    stopDatabaseAfter: () => new Promise(() => undefined),
    passDatabase: () => undefined,
    close: () => Promise.resolve(),
  }
  return { target, graceMs: 0, passGrace: () => Promise.resolve(), atOnce: (work) => work() }
}
