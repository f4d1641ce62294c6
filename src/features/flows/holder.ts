import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { FlowReply } from '../../wire/flow-reply.js'
import { text } from '../../platform/http/text.js'
import type { FlowCookie } from '../browser/browser.js'
import { RESEND_AFTER_SECONDS, type BegunFlow, type Resent } from './beginning.js'
import type { Flow } from './flow.js'
import type { Presented } from './presenting.js'

/** The holder's token in bodies: the only carrier in mode json, and never required where the cookie has it. */
export const flowTokenSchema = text({ max: 200 }).meta({
  description: 'In mode json: the flow_token of the response that began it. Otherwise it is a cookie.',
  examples: ['spf_…'],
})

/** Not judged here: a wrong code is counted and refused with 401, not 422. */
export const flowCodeSchema = text({ min: 1, max: 40 }).meta({
  description: 'The eight digits from the mail. Spaces are ignored.',
  examples: ['1234 5678'],
})

export const confirmationSchema = text({ min: 1, max: 40 }).meta({
  description: 'The four digits that the mail asks for.',
  examples: ['1234'],
})

export const linkTokenSchema = text({ min: 1, max: 200 }).meta({
  description: 'The token from the link in the mail.',
  examples: ['spl_…'],
})

/** The body of a request that has a link or a code. */
export const presentedMembers = {
  token: linkTokenSchema.optional(),
  code: flowCodeSchema.optional(),
  flow_token: flowTokenSchema.optional(),
}

/** Whether a body has exactly one of link and code; for `refine` with `ONE_OF_LINK_AND_CODE`. */
export function hasOneOfLinkAndCode({
  token,
  code,
}: {
  token?: string | undefined
  code?: string | undefined
}): boolean {
  return (token === undefined) !== (code === undefined)
}

export const ONE_OF_LINK_AND_CODE = { message: 'Must have either "token" or "code"', path: ['token'] }

/** The holder's tokens that a request shows, in its body or in the cookie, the newest first. */
export function holdersOf(
  reply: FastifyReply,
  body: { flow_token?: string | undefined },
  flowCookie: FlowCookie,
): string[] {
  return [...(body.flow_token === undefined ? [] : [body.flow_token]), ...flowCookie.read(reply.request)]
}

/**
 * The same for a request that is judged by the holder's token alone: throws the refusal of a cookie that does not count,
 * where the body has none.
 */
export function requireHolders(
  reply: FastifyReply,
  body: { flow_token?: string | undefined },
  flowCookie: FlowCookie,
): string[] {
  const { cookieRefusal } = reply.request
  if (body.flow_token === undefined && cookieRefusal && flowCookie.isCarried(reply.request)) throw cookieRefusal
  return holdersOf(reply, body, flowCookie)
}

/**
 * What a request shows of a flow. Throws the refusal of cookies that do not count, where only they could show that the
 * request comes from the holder whose code it has.
 */
export function presentedOf(
  reply: FastifyReply,
  body: { token?: string | undefined; code?: string | undefined; flow_token?: string | undefined },
  flowCookie: FlowCookie,
): Presented {
  const { token, code } = body
  const holders = code === undefined ? holdersOf(reply, body, flowCookie) : requireHolders(reply, body, flowCookie)
  return { token, code, holders }
}

/** Tells the holder of a flow that it has begun, and hands the token over as its mode has it. */
export function replyWithFlow(reply: FastifyReply, begun: BegunFlow, flowCookie: FlowCookie): FlowReply {
  if (begun.mode !== 'json') flowCookie.add(reply, begun.token)
  return {
    expires_at: begun.expiresAt.toISOString(),
    resend_after: RESEND_AFTER_SECONDS,
    to: maskEmail(begun.email),
    ...(begun.mode === 'json' && { flow_token: begun.token }),
  }
}

/** Tells the holder of a flow what became of another mail. The holder has the token already. */
export function replyWithResent({ email }: Flow, { expiresAt, resendAfterSeconds }: Resent): FlowReply {
  return { expires_at: expiresAt.toISOString(), resend_after: resendAfterSeconds, to: maskEmail(email ?? '') }
}

/** The address with all but the first character of its local part hidden. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, 1)}•••${email.slice(at)}`
}

/** The language that a request asks for. */
export const localeMember = z
  .string()
  .regex(/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i, 'Must be a language tag, such as en or pt-BR')
  .meta({ description: 'The language of the mail (BCP 47).', examples: ['en'] })
