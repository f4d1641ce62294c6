import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { errorOf, jsonRequest, type Answer } from './http.js'
import {
  flowKinds,
  forgetFlow,
  keepFlow,
  presentFlow,
  readFlow,
  type FlowKind,
  type FlowStorage,
  type PendingFlow,
} from './flow-storage.js'
import { internalsOf, type Internals } from './internals.js'
import type { ClientState } from './session.js'

/** What a mail contains: the token of its link, or its code, which is good only where the mail was asked for. */
export type MailProof = { token: string } | { code: string }

/**
 * What this page or app waits for: the newest flow that has begun here, also before a reload or a restart. Null if there is
 * none. Call it after `restore`: a sign-in ends flows that would sign in, and a logout those of the user. It does not tell
 * that a link was used elsewhere.
 */
export async function pendingFlow(client: Client): Promise<PendingFlow | null> {
  const { flows, session } = internalsOf(client)
  for (const kind of kindsOver(session.state)) await forgetFlow(flows, kind)
  const kept = await readFlow(flows, flowKinds)
  return kept && presentFlow(kept)
}

function kindsOver(state: ClientState): FlowKind[] {
  if (state.status === 'unknown') return []
  if (state.status === 'signed_out') return ['verify_email', 'email_change']
  return ['register', 'otp', ...(state.user?.email_verified ? (['verify_email'] as const) : [])]
}

/** Stops waiting, for example because the address was mistyped. The mail stays valid, but its code has no holder here. */
export async function forgetPendingFlow(client: Client): Promise<void> {
  const { flows } = internalsOf(client)
  for (const kind of flowKinds) await forgetFlow(flows, kind)
}

/**
 * Sends the mail of the pending flow again, at the earliest at its `resendAt`: before, and when a limit is reached, none is
 * sent. For a signed-in user it is the mail that verifies their address, if no other flow is pending.
 */
export async function resend(client: Client): Promise<PendingFlow> {
  const { flows, mode, send, ...inside } = internalsOf(client)
  const { kind = 'verify_email', flow_token: kept } = (await readFlow(flows, flowKinds)) ?? {}
  // A change of the password ends that kind; the session begins it anew.
  const flow_token = kind === 'verify_email' ? undefined : kept
  const headers = await authorizationOf(inside)
  const answer = await send('/v1/auth/resend', jsonRequest('POST', { mode, flow_token }, headers))
  return keepAnswer(flows, kind, answer, flow_token)
}

/**
 * Begins a flow, which takes the place of an earlier one of its kind: the former token is sent, because only its holder may
 * supersede a flow.
 */
export async function begin(client: Client, kind: FlowKind, path: string, request: object): Promise<PendingFlow> {
  const { flows, mode, send } = internalsOf(client)
  const former = await readFlow(flows, [kind])
  const answer = await send(path, jsonRequest('POST', { ...request, mode, flow_token: former?.flow_token }))
  return keepAnswer(flows, kind, answer)
}

/** Keeps the flow that a response tells of. Throws its error if it tells of none. */
export async function keepAnswer(
  flows: FlowStorage,
  kind: FlowKind,
  answer: Answer,
  former?: string,
): Promise<PendingFlow> {
  const pending = await keepFlow(flows, kind, answer.body, former)
  if (pending === null) throw errorOf(answer)
  return pending
}

/** Shows link or code of a flow of these kinds with its token, and forgets it once it is over. */
export async function end<T>(
  client: Client,
  kinds: readonly FlowKind[],
  request: MailProof,
  present: (body: object) => Promise<T>,
): Promise<T> {
  const { flows } = internalsOf(client)
  const kept = await readFlow(flows, kinds)
  const forget = () => kept && forgetFlow(flows, kept.kind)
  try {
    const result = await present({ ...request, flow_token: kept?.flow_token })
    await forget()
    return result
  } catch (error) {
    // A link may belong to another flow than the one that is kept.
    if ('code' in request && isOver(error)) await forget()
    throw error
  }
}

function isOver(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'flow_invalid' && error.reason !== 'wrong_code'
}

/** The header that authenticates a signed-in user; none if it is a cookie, or if the session cannot be refreshed. */
export async function authorizationOf({ findTokens }: Pick<Internals, 'findTokens'>): Promise<Record<string, string>> {
  const tokens = await findTokens().catch(() => null)
  return tokens?.accessToken ? { authorization: `Bearer ${tokens.accessToken}` } : {}
}
