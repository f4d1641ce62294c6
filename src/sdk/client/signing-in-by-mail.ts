import type { Client, LoginRequest, RegisterRequest } from './client.js'
import type { PendingFlow } from './flow-storage.js'
import { ignore } from './ignore.js'
import { internalsOf } from './internals.js'
import { authorizationOf, begin, end, type MailProof } from './pending-flow.js'
import type { ClientState } from './session.js'

export interface CodeRequest extends Omit<LoginRequest, 'password'> {
  /** Whether an unknown address is registered. */
  register?: true
  /** The language of the mail, such as `en`. By default the browser's. */
  locale?: string
}

/** Sends a mail with a link and a code, either of which signs in here. Throws `not_offered` unless `SIGN_IN_METHODS` has `otp`. */
export async function requestCode(client: Client, request: CodeRequest): Promise<PendingFlow> {
  return begin(client, 'otp', '/v1/auth/otp', request)
}

/**
 * Signs in. Throws `flow_invalid` with a `reason` and, for a wrong code, `members.attempts_left`; `flow_unbound` for a link
 * that was not asked for here.
 */
export async function signInWithCode(client: Client, proof: MailProof): Promise<ClientState> {
  const { device, signIn } = internalsOf(client)
  return end(client, ['otp'], proof, async (body) =>
    signIn('/v1/auth/otp/verify', { ...body, device_token: await device?.read() }),
  )
}

/**
 * Confirms an address: of a registration, which signs in; or of the signed-in user, also a changed one. Resolves to the
 * state after that. Throws `flow_invalid`, and `flow_unbound` for a link that was opened elsewhere: `members.needs` says
 * what it takes, such as the `password` of the registration.
 */
export async function verifyEmail(client: Client, proof: MailProof & { password?: string }): Promise<ClientState> {
  const { session, device, signIn, ...inside } = internalsOf(client)
  const present = async (body: object) =>
    signIn<'confirmed'>(
      '/v1/auth/verify-email',
      { ...body, device_token: await device?.read() },
      {
        headers: await authorizationOf(inside),
        steal: false,
        readOther: ({ status }) => (status === 204 ? 'confirmed' : null),
      },
    )
  const outcome = await end(client, ['register', 'verify_email', 'email_change'], proof, present)
  if (outcome !== 'confirmed') return outcome
  // The user has another address, or a verified one. If this fails, the next refresh tells it.
  if (session.state.status === 'signed_in') await client.me().catch(ignore)
  return session.state
}

export interface InvitationRequest extends Omit<RegisterRequest, 'email'> {
  /** The token of the link in the invitation. */
  token: string
}

/** Creates the account of an invitation, and signs in. Throws `flow_invalid`, `password_too_weak` and others. */
export async function acceptInvitation(client: Client, request: InvitationRequest): Promise<ClientState> {
  const { asSignIn, signIn } = internalsOf(client)
  return signIn('/v1/auth/accept-invitation', await asSignIn(request))
}
