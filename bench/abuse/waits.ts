// ABU-01: floods of what is refused anyway, on the embedded database, and what new connections wait for meanwhile.

import { randomUUID } from 'node:crypto'
import type { Exploit } from './exploit.js'
import { loginOf, refreshOf, register } from './accounts.js'
import { crowd, describeCounts, post, type Crowd } from './calling.js'
import type { Figure } from './figure.js'
import { probeDuring, type Waits } from './probing.js'
import type { Target } from './target.js'

const LIMIT_MS = 500
const GUESSERS = 300
const HOLDERS_OF_DEAD_TOKENS = 200
const AT_ONCE = 119

export const waits: Exploit[] = [
  {
    name: 'waits',
    database: 'embedded',
    play: (target) =>
      flood(target, `${GUESSERS} clients of one address guess passwords`, {
        size: GUESSERS,
        keepsConnections: true,
        ask: () => loginOf(`${randomUUID()}@example.com`, randomUUID()),
      }),
  },
  {
    name: 'waits',
    database: 'embedded',
    play: (target) =>
      flood(target, 'the same, each guess on a new connection', {
        size: GUESSERS,
        keepsConnections: false,
        ask: () => loginOf(`${randomUUID()}@example.com`, randomUUID()),
      }),
  },
  {
    name: 'waits',
    database: 'embedded',
    async play(target) {
      const token = await register(target.url, 'ada@example.com')
      await post(target.url, { path: '/v1/auth/logout', body: { refresh_token: token } })
      return flood(target, `${HOLDERS_OF_DEAD_TOKENS} connections present a dead refresh token`, {
        size: HOLDERS_OF_DEAD_TOKENS,
        keepsConnections: true,
        ask: () => refreshOf(token),
      })
    },
  },
  {
    name: 'waits',
    database: 'embedded',
    async play({ url }) {
      const token = await register(url, 'ada@example.com')
      const waited = await probeDuring(url, async () => {
        await Promise.all(Array.from({ length: AT_ONCE }, () => post(url, refreshOf(token))))
      })
      return [figureOf(`one refresh token, ${AT_ONCE} times at once`, waited)]
    },
  },
]

async function flood({ url, seconds }: Target, what: string, attackers: Crowd): Promise<Figure[]> {
  let counts = new Map<string, number>()
  const waited = await probeDuring(url, async () => {
    counts = await crowd(url, attackers, AbortSignal.timeout(seconds * 1000))
  })
  return [figureOf(what, waited), { what: '  answered with', figure: describeCounts(counts), goal: null }]
}

function figureOf(what: string, { p99, longest }: Waits): Figure {
  return {
    what: `${what}: wait for /livez, p99 and longest`,
    figure: `${Math.round(p99)} ms, ${Math.round(longest)} ms`,
    goal: { text: `p99 ≤ ${LIMIT_MS} ms`, isMet: p99 <= LIMIT_MS },
  }
}
