import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { exchange, FATE_HEADER, type Received } from './http.js'

export interface FaultProxy {
  port: number
  close(): Promise<void>
}

const fateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pass') }),
  z.object({ kind: z.literal('lose') }),
  z.object({ kind: z.literal('repeat'), times: z.number() }),
  z.object({ kind: z.literal('delay'), requestMs: z.number(), answerMs: z.number() }),
])

/**
 * A proxy between clients and a target. A header that is not forwarded selects the fault. When the target does not
 * answer, the client gets no answer either.
 */
export async function startFaultProxy(targetPort: () => number): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing, targetPort).catch(() => outgoing.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function pass(incoming: IncomingMessage, outgoing: ServerResponse, targetPort: () => number): Promise<void> {
  const { [FATE_HEADER]: text, ...headers } = incoming.headers
  const fate = fateSchema.parse(typeof text === 'string' ? JSON.parse(text) : { kind: 'pass' })
  const body = await bodyOf(incoming)
  const forward = () =>
    exchange(targetPort(), { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers, body })

  switch (fate.kind) {
    case 'pass':
      return answer(outgoing, await forward())
    case 'lose':
      await forward()
      outgoing.destroy()
      return
    case 'repeat': {
      const answers = Array.from({ length: fate.times }, forward)
      const first = await Promise.race(answers)
      await Promise.all(answers)
      return answer(outgoing, first)
    }
    case 'delay': {
      await pause(fate.requestMs)
      const received = await forward()
      await pause(fate.answerMs)
      return answer(outgoing, received)
    }
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function answer(outgoing: ServerResponse, { status, headers, text }: Received): void {
  // The body is passed on unchanged.
  outgoing.setHeaders(new Map(Object.entries(headers).map(([name, value = '']) => [name, value])))
  outgoing.removeHeader('transfer-encoding')
  outgoing.writeHead(status, { 'content-length': Buffer.byteLength(text), connection: 'close' }).end(text)
}
