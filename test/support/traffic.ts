// Clients that send one request after another for the duration of a test.

import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { createApiOver, type Api, type SignedUp } from './api.js'
import { send } from './client.js'
import type { ServerProcess } from './process.js'
import { until } from './until.js'

const CLIENTS = 8

interface Client {
  served: number
  dropped: string[]
}

/** The API on a persistent connection. */
export function connectToProcess({ port }: ServerProcess): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return createApiOver((request) => send(port, agent, request))
}

/**
 * Starts clients, one of which refreshes, that run until they are told to use another instance. Resolves when each has
 * been served for a while.
 */
export async function startTraffic(server: ServerProcess): Promise<{ dropped(): Promise<string[]> }> {
  const user = await server.api.signUp()
  const clients: Client[] = Array.from({ length: CLIENTS }, () => ({ served: 0, dropped: [] }))
  const done = clients.map((client, index) =>
    keepAsking(connectToProcess(server), user, client, { refreshes: index === 0 }),
  )
  await until(() => Promise.resolve(clients.every(({ served }) => served > 10)))
  return {
    /** Waits until all of them have switched; returns the responses that were not successful. */
    async dropped() {
      await Promise.all(done)
      return clients.flatMap(({ dropped }) => dropped)
    },
  }
}

async function keepAsking(api: Api, user: SignedUp, client: Client, { refreshes }: { refreshes: boolean }) {
  let refreshToken = user.refreshToken
  for (;;) {
    try {
      const answer = refreshes ? await api.refresh(refreshToken) : await api.whoami(user.accessToken)
      if (answer.status === 200) client.served += 1
      else client.dropped.push(`${answer.status} ${JSON.stringify(answer.body)}`)
      if (typeof answer.body.refresh_token === 'string') refreshToken = answer.body.refresh_token
      if (answer.headers.connection === 'close') return
    } catch (error) {
      client.dropped.push(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      return
    }
  }
}

/** The results of a client that refreshes continuously. */
export interface Refresher {
  refreshToken: string
  served: number
  /** The number of 503 `database_unavailable`. */
  unavailable: number
  /** Requests without a response, and all other refusals. */
  errors: unknown[]
}

export interface Refreshing {
  refreshers: Refresher[]
  /** Waits until each has been served this many more times. */
  untilServed(more: number): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts clients that refresh without pause, and retry failed attempts with their key. Every other one keeps its
 * connection; the rest use a new one for each request.
 */
export async function startRefreshing(server: ServerProcess, count: number): Promise<Refreshing> {
  const users: SignedUp[] = []
  // Sequentially: on a machine that runs other tests, queued hashes are refused after two seconds.
  while (users.length < count) users.push(await server.api.signUp())
  const refreshers = users.map(({ refreshToken }): Refresher => ({
    refreshToken,
    served: 0,
    unavailable: 0,
    errors: [],
  }))
  let isOver = false
  const work = refreshers.map(async (refresher, index) => {
    const kept = connectToProcess(server)
    let key = randomUUID()
    while (!isOver) {
      const isServed = await refreshOnce(index % 2 === 0 ? kept : connectToProcess(server), refresher, key)
      if (isServed) key = randomUUID()
      else await pause(20)
    }
  })
  return {
    refreshers,
    async untilServed(more) {
      const goals = refreshers.map(({ served }) => served + more)
      await until(() => Promise.resolve(refreshers.every(({ served }, index) => served >= (goals[index] ?? 0))))
    },
    async stop() {
      isOver = true
      await Promise.all(work)
    },
  }
}

async function refreshOnce(api: Api, refresher: Refresher, key: string): Promise<boolean> {
  try {
    const { status, body } = await api.refresh(refresher.refreshToken, { key })
    if (status === 200) {
      refresher.refreshToken = body.refresh_token ?? ''
      refresher.served += 1
      return true
    }
    if (body.code === 'database_unavailable') refresher.unavailable += 1
    else refresher.errors.push(`${status} ${body.code}`)
  } catch (error) {
    refresher.errors.push(error)
  }
  return false
}
