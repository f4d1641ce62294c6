// A model of rotation.ts: one family, clients that present its tokens, and responses that get lost. The properties are
// the promises to users, not the rules themselves.

import fc from 'fast-check'
import t from 'tap'
import {
  judge,
  type JudgedFamily,
  type LostAnswer,
  type RotationSettings,
  type Verdict,
} from '../../../src/features/families/rotation.js'

const DAY_SECONDS = 24 * 3600
const LONG_SECONDS = 1_000_000 * DAY_SECONDS
const GRACE_SECONDS = 10
const limits: RotationSettings = {
  idleSeconds: { cookie: LONG_SECONDS, json: LONG_SECONDS, session: LONG_SECONDS, client: LONG_SECONDS },
  graceSeconds: GRACE_SECONDS,
}

interface Server {
  family: JudgedFamily
  wait(seconds: number): void
  /** Without a key, the attempt is named by the server. */
  present(generation: number, key: string | null): Verdict['outcome']
}

let attempts = 0

function createServer({ lostAnswer = 'grace' }: { lostAnswer?: LostAnswer } = {}): Server {
  let now = new Date(0)
  const family: JudgedFamily = {
    mode: 'json',
    clientId: 'sallyport',
    jkt: null,
    generation: 0,
    attempt: null,
    rotatedAt: null,
    lateGeneration: null,
    lastUsedAt: now,
    expiresAt: new Date(LONG_SECONDS * 1000),
    ended: null,
    userId: 'ada',
    banned: false,
    parent: null,
  }
  return {
    family,
    wait: (seconds) => (now = new Date(now.getTime() + seconds * 1000)),
    present(generation, key) {
      const attempt = { hash: Buffer.alloc(32, key ?? `attempt ${(attempts += 1)}`), keyed: key !== null }
      const presented = { generation, modes: ['json' as const], clientId: 'sallyport', jkt: null, lostAnswer, attempt }
      const { outcome } = judge(family, presented, limits, now)
      if (outcome === 'late_replay') family.lateGeneration = generation
      if (outcome === 'rotate') {
        Object.assign(family, { generation: generation + 1, attempt, rotatedAt: now, lastUsedAt: now })
      }
      if (outcome === 'reuse') family.ended = { at: now, reason: 'reuse_detected' }
      return outcome
    },
  }
}

/** A client with a token, which keeps the key of each attempt until a response arrives. */
class Holder {
  readonly outcomes: Verdict['outcome'][] = []
  #attempts = 0

  constructor(
    readonly server: Server,
    readonly name: string,
    public generation = 0,
    readonly knowsKeys = true,
  ) {}

  refresh({ answerLost = false } = {}): void {
    const outcome = this.server.present(this.generation, this.knowsKeys ? `${this.name} ${this.#attempts}` : null)
    this.outcomes.push(outcome)
    if (answerLost) return
    if (isServed(outcome)) this.generation += 1
    this.#attempts += 1
  }

  /** Whether the server ever gave them a token. */
  get hasBeenServed(): boolean {
    return this.outcomes.some(isServed)
  }
}

function isServed(outcome: Verdict['outcome']): boolean {
  return outcome === 'rotate' || outcome === 'replay' || outcome === 'late_replay'
}

const wait = fc.oneof(fc.integer({ min: 0, max: GRACE_SECONDS + 1 }), fc.integer({ min: 0, max: 30 * DAY_SECONDS }))
const refreshes = fc.array(fc.record({ wait, answerLost: fc.boolean() }), { minLength: 1, maxLength: 30 })

t.test('REF-08: retries with the key of a lost response are never refused, however many and however late', async () => {
  fc.assert(
    fc.property(refreshes, (steps) => {
      const server = createServer()
      const client = new Holder(server, 'client')
      for (const { wait, answerLost } of steps) {
        server.wait(wait)
        client.refresh({ answerLost })
      }
      client.refresh()
      const refused = client.outcomes.filter((outcome) => outcome !== 'rotate' && outcome !== 'replay')
      return refused.length === 0 && client.generation === server.family.generation
    }),
  )
})

t.test('REF-04: tabs whose requests overtake each other end no session, and one is served per token', async () => {
  // A tab reads the shared token when it sends, and its request arrives after a number of later ones.
  const sent = fc.array(fc.record({ overtakenBy: fc.nat(8), seconds: fc.nat(1) }), { maxLength: 9 })
  fc.assert(
    fc.property(sent, (sent) => {
      const server = createServer()
      let shared = 0
      const onTheWay: { generation: number; key: string; overtakenBy: number }[] = []
      const served: number[] = []
      const arrive = ({ generation, key }: (typeof onTheWay)[number]) => {
        if (server.present(generation, key) !== 'rotate') return
        served.push(generation)
        shared = generation + 1
      }
      for (const [tab, { overtakenBy, seconds }] of sent.entries()) {
        server.wait(seconds)
        onTheWay.push({ generation: shared, key: `tab ${tab}`, overtakenBy })
        for (const request of onTheWay.splice(0)) {
          if (request.overtakenBy === 0) arrive(request)
          else onTheWay.push({ ...request, overtakenBy: request.overtakenBy - 1 })
        }
      }
      onTheWay.forEach(arrive)
      return server.family.ended === null && new Set(served).size === served.length
    }),
    { numRuns: 1000 },
  )
})

t.test('REF-03: of a copied token, one of the two holders gets tokens, and the other one is detected', async () => {
  const turns = fc.array(
    fc.record({ wait, answerLost: fc.boolean(), who: fc.constantFrom('client' as const, 'thief' as const) }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(refreshes, turns, (before, after) => {
      const server = createServer()
      const client = new Holder(server, 'client')
      for (const { wait, answerLost } of before) {
        server.wait(wait)
        client.refresh({ answerLost })
      }
      client.refresh()
      client.outcomes.length = 0

      const thief = new Holder(server, 'thief', client.generation)
      const holders = { client, thief }
      for (const { wait, answerLost, who } of after) {
        server.wait(wait)
        holders[who].refresh({ answerLost })
      }
      if (client.hasBeenServed && thief.hasBeenServed) return false

      // Each tries once more, after the grace period: the family has ended, or ends now.
      for (const holder of [client, thief, client]) {
        server.wait(GRACE_SECONDS + 1)
        holder.refresh()
      }
      return server.family.ended?.reason === 'reuse_detected'
    }),
    { numRuns: 500 },
  )
})

const untilUsed = { lostAnswer: 'until_used' } as const

t.test(
  'lost_answer until_used: a client without keys is never refused unless it loses two answers in a row',
  async () => {
    // However long it takes to ask again; a step is one token, and the answers to it that are lost.
    const steps = fc.array(fc.record({ wait, lost: fc.nat(3), retryWait: wait }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(steps, (steps) => {
        const server = createServer(untilUsed)
        const client = new Holder(server, 'client', 0, false)
        let hasLost = false
        for (const { wait, lost, retryWait } of steps) {
          server.wait(wait)
          for (let index = 0; index < lost && !hasLost; index += 1) {
            client.refresh({ answerLost: true })
            server.wait(retryWait)
          }
          hasLost = lost > 0 && !hasLost
          client.refresh()
        }
        return client.outcomes.every(isServed) && client.generation === server.family.generation
      }),
      { numRuns: 500 },
    )
  },
)

t.test(
  'lost_answer until_used: of a copied token, both are found out at the second token that both present',
  async () => {
    const turns = fc.array(fc.constantFrom('client' as const, 'thief' as const), { maxLength: 30 })
    fc.assert(
      fc.property(refreshes, turns, (before, after) => {
        const server = createServer(untilUsed)
        const client = new Holder(server, 'client', 0, false)
        for (const { wait } of before) {
          server.wait(wait)
          client.refresh()
        }
        const copied = client.generation
        const thief = new Holder(server, 'thief', copied, false)
        const holders = { client, thief }
        for (const who of after) {
          // Within the grace period, two who hold a copy look like two requests of one client, as without this setting.
          server.wait(GRACE_SECONDS + 1)
          holders[who].refresh()
          const both = Math.min(client.generation, thief.generation)
          if (both > copied + 1) return false
        }
        // Each tries once more: the family has ended, or ends now.
        for (const holder of [client, thief, client, thief]) {
          server.wait(GRACE_SECONDS + 1)
          holder.refresh()
        }
        return server.family.ended?.reason === 'reuse_detected'
      }),
      { numRuns: 500 },
    )
  },
)
