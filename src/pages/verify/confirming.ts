import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { flowInvalid, flowKinds, type Presented } from '../../features/flows/flows.js'
import type { PageTools } from '../page-tools.js'

/** A code as it is typed. A wrong one is counted, and answered as such. */
export const codeSchema = z.string().trim().min(1).max(40)

/** What a link or a code has brought about. */
export type Confirmed = 'session' | 'confirmed'

/**
 * Confirms an address by a link or a code, as POST /v1/auth/verify-email does. A registration ends in a session: of mode
 * `session` where an app had asked in mode `json`, because this browser has no other way to keep it.
 */
export async function confirmAddressWith(
  { flows, confirmAddress, findSignedIn, door }: PageTools,
  reply: FastifyReply,
  { password, ...presented }: Presented & { password?: string | undefined },
): Promise<Confirmed> {
  const kinds = flowKinds.filter((kind) => confirmAddress[kind] !== undefined)
  const requester = door.requesterOf(reply)
  const found = await flows.present(presented, kinds, requester)
  const flow = found.mode === 'json' ? { ...found, mode: 'session' as const } : found
  const confirm = confirmAddress[flow.kind]
  if (confirm === undefined) throw flowInvalid('expired')
  const { email, mode } = flow
  const signedIn = await confirm({
    flow,
    requester,
    password,
    findSignedIn: () => findSignedIn(reply.request, reply),
    contextOf: () => door.contextOf(reply, { email: email ?? '', mode }),
  })
  if (signedIn === null) return 'confirmed'
  door.reply(reply, signedIn.tokens, signedIn.context)
  // The session of a single-page app is not one that our own pages can use.
  return signedIn.tokens.family.mode === 'session' ? 'session' : 'confirmed'
}

/** Signs the owner of the address in, as POST /v1/auth/otp/verify does. */
export async function signInWithCode(
  { signIn, door }: PageTools,
  reply: FastifyReply,
  presented: Presented,
): Promise<void> {
  const { tokens, context } = await signIn.mailedCode.verify(presented, door.requesterOf(reply), ({ email, mode }) =>
    door.contextOf(reply, { email: email ?? '', mode }),
  )
  door.reply(reply, tokens, context)
}
