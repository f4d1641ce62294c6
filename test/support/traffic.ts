// Clients that send one request after another, each on a connection that it keeps, until they are told to turn elsewhere.

import { Agent } from 'node:http'
import { createApiOver, type Api, type SignedUp } from './api.js'
import { send } from './client.js'
import type { ServerProcess } from './process.js'
import { until } from './until.js'

const CLIENTS = 8

interface Client {
  served: number
  dropped: string[]
}

/** The API on a connection of its own, which is kept. */
export function connectToProcess({ port }: ServerProcess): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return createApiOver((request) => send(port, agent, request))
}

/** Starts the clients, one of which refreshes, and answers when each has been served for a while. */
export async function startTraffic(server: ServerProcess): Promise<{ dropped(): Promise<string[]> }> {
  const user = await server.api.signUp()
  const clients: Client[] = Array.from({ length: CLIENTS }, () => ({ served: 0, dropped: [] }))
  const done = clients.map((client, index) =>
    keepAsking(connectToProcess(server), user, client, { refreshes: index === 0 }),
  )
  await until(() => Promise.resolve(clients.every(({ served }) => served > 10)))
  return {
    /** Waits until all have been told to turn elsewhere; answers what was not answered well. */
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
      if ('refresh_token' in answer.body) refreshToken = answer.body.refresh_token ?? ''
      if (answer.headers.connection === 'close') return
    } catch (error) {
      client.dropped.push(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      return
    }
  }
}
