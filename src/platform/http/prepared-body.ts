import type { FastifyReply, FastifyRequest } from 'fastify'
import { etagOf, isNamedBy } from './etag.js'

/** A body that is made once, at the first request for it, and sent as it is from then on. */
export interface PreparedBody {
  type: string
  cacheControl: string
  headers?: Record<string, string>
  make: () => string | Buffer | Promise<Buffer>
}

/** Sends a prepared body. */
export type SendPrepared = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Makes the handler that sends a body, or 304 to a client that has it. */
export function prepareBody({ type, cacheControl, headers, make }: PreparedBody): SendPrepared {
  let making: Promise<{ body: Buffer; etag: string }> | undefined
  async function makeOnce() {
    const body = Buffer.from(await make())
    return { body, etag: etagOf(body) }
  }
  return async (request, reply) => {
    const { body, etag } = await (making ??= makeOnce())
    void reply.headers({ ...headers, etag, 'cache-control': cacheControl })
    if (isNamedBy(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type(type).send(body)
  }
}
