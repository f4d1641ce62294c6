import type { FastifyReply } from 'fastify'
import type { TokenReply } from '../../wire/token-reply.js'
import type { SessionTokens } from '../families/families.js'
import type { Requester } from '../limits/limits.js'
import type { SignInContext } from './completing.js'
import type { LoginBody } from './schemas.js'

/** What the routes of all ways in share: the context in which a session is opened, and the response that tells of it. */
export interface Door {
  requesterOf(this: void, reply: FastifyReply): Requester & Pick<SignInContext, 'gone'>
  /** Refuses a request that may not set the cookies of its mode. */
  contextOf(this: void, reply: FastifyReply, wish: Pick<LoginBody, 'email' | 'mode' | 'device_token'>): SignInContext
  reply(this: void, reply: FastifyReply, tokens: SessionTokens, context: SignInContext): TokenReply
}
