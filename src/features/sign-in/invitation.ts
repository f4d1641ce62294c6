import { z } from 'zod'
import type { SessionTokens } from '../families/families.js'
import { flowInvalid } from '../flows/flows.js'
import type { SignInContext } from '../browser/browser.js'
import { requireTokens } from './completing.js'
import { addUser, type RegistrationOptions } from './registration.js'
import type { AcceptInvitationBody } from './schemas.js'

/** What waits in the flow of an invitation. */
export const invitationSchema = z.object({ roles: z.array(z.string()) })

export type Invitation = z.output<typeof invitationSchema>

/** An invited person chooses a password: the address is theirs, since they have the link. */
export function createInvitationAcceptance(options: RegistrationOptions) {
  const { flows, passwords, limits, clock } = options

  async function accept(body: AcceptInvitationBody, context: SignInContext): Promise<SessionTokens> {
    const { token, password, name = null } = body
    const flow = await flows.present({ token, holders: [] }, ['invitation'], context)
    const { email } = flow
    if (email === null) throw flowInvalid('expired')
    const { roles } = flows.payloadOf(flow, invitationSchema)
    await passwords.requireAcceptable(password, { email, name })
    const passwordHash = await passwords.hash(password, context.gone)
    const proofs = [
      { method: 'email' as const, at: clock.now() },
      { method: 'pwd' as const, at: clock.now() },
    ]
    const completion = await flows.complete(flow, async (tx, revoke) => {
      const added = { email, name, passwordHash, roles, isEmailVerified: true }
      return (await addUser(options, { tx, revoke }, added, { proofs, wish: body, context })).completion
    })
    return requireTokens(completion)
  }

  return (body: AcceptInvitationBody, context: SignInContext): Promise<SessionTokens> =>
    passwords.admit(() => accept(body, context), { name: limits.partyOf(context.caller), preferred: false })
}
