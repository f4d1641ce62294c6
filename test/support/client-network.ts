// A network between the client SDK and a server, with faults. Requests that it passes are real HTTP.

import type { Fetch } from '../../src/sdk/client/client.js'

export interface SentCall {
  path: string
  headers: Headers
  body: string
}

export interface ClientNetwork {
  fetch: Fetch
  /** All requests that were sent, whether or not they arrived. */
  calls: SentCall[]
  /** The calls of one path. */
  callsOf(path: string): SentCall[]
  /** Drops everything while it is set. */
  isDown: boolean
  /** The server receives the next request for the path, and its response gets lost. */
  loseAnswer(path: string): void
  /** The next request for the path gets a response from something else. */
  answerNext(path: string, answer: () => Response): void
  /**
   * Holds back the next response for the path. Resolves, once the server has responded, to a function that releases it.
   */
  holdAnswer(path: string): Promise<() => void>
}

type Fault = (send: () => Promise<Response>) => Promise<Response>

export function createClientNetwork(): ClientNetwork {
  const calls: SentCall[] = []
  const faults = new Map<string, Fault[]>()
  const expect = (path: string, fault: Fault) => void faults.set(path, [...(faults.get(path) ?? []), fault])

  const network: ClientNetwork = {
    calls,
    callsOf: (path) => calls.filter((call) => call.path === path),
    isDown: false,
    loseAnswer: (path) =>
      expect(path, async (send) => {
        await (await send()).text()
        throw new TypeError('The connection was lost.')
      }),
    answerNext: (path, answer) => expect(path, () => Promise.resolve(answer())),
    holdAnswer: (path) =>
      new Promise((resolve) => {
        expect(path, async (send) => {
          const response = await send()
          await new Promise<void>((letThrough) => resolve(letThrough))
          return response
        })
      }),
    async fetch(input, init = {}) {
      const request = new Request(input, init)
      const path = new URL(request.url).pathname
      calls.push({ path, headers: request.headers, body: await request.clone().text() })
      if (network.isDown) throw new TypeError('The network is down.')
      const fault = faults.get(path)?.shift()
      return fault ? fault(() => fetch(request)) : fetch(request)
    },
  }
  return network
}
