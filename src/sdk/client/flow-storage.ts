import type { FlowReply } from '../../wire/flow-reply.js'
import type { Mode } from '../../wire/mode.js'
import { orStorageFailed } from './credential.js'
import type { Answer } from './http.js'
import { ignore } from './ignore.js'
import { parseObject } from './json.js'
import type { KeyStore } from './key-store.js'
import type { ClientClock } from './options.js'

/** The flows that a client begins and waits for, at most one of each kind. */
export const flowKinds = ['register', 'verify_email', 'otp', 'reset_password', 'email_change'] as const

export type FlowKind = (typeof flowKinds)[number]

/** A mail is on its way, if the address is known: Sallyport does not tell whether it is. */
export interface PendingFlow {
  readonly status: 'check_mail'
  readonly kind: FlowKind
  /** The address, masked. */
  readonly to: string
  /** When the code and the link expire, if the mail arrives at once. */
  readonly expiresAt: Date
  /** When another mail can be sent. */
  readonly resendAt: Date
}

/** Where flows are kept, so that a page that is reloaded and an app that is restarted can go on. */
export interface FlowStorage {
  storage: KeyStore
  key: string
  mode: Mode
  clock: ClientClock
}

export interface KeptFlow extends FlowReply {
  kind: FlowKind
  keptAtMs: number
}

/** Keeps what a response tells of a flow; null if it is another response. Throws `storage_failed` in mode json. */
export async function keepFlow(
  flows: FlowStorage,
  kind: FlowKind,
  body: Answer['body'],
  former?: string,
): Promise<PendingFlow | null> {
  const reply = readFlowReply(body)
  if (reply === null) return null
  const kept: KeptFlow = { flow_token: former, ...reply, kind, keptAtMs: flows.clock.now() }
  const stored = orStorageFailed(() => flows.storage.set(keyOf(flows, kind), JSON.stringify(kept)))
  // In the other modes the token is a cookie, and this page goes on without the store.
  await (flows.mode === 'json' ? stored : stored.catch(ignore))
  return presentFlow(kept)
}

export function presentFlow({ kind, to, expires_at, resend_after, keptAtMs }: KeptFlow): PendingFlow {
  const resendAt = new Date(keptAtMs + resend_after * 1000)
  return { status: 'check_mail', kind, to, expiresAt: new Date(expires_at), resendAt }
}

/**
 * A code is good for its lifetime from the moment the mail server has accepted the mail, but not for longer than an hour
 * from the request: the token is kept for that long, because mails are late at times, and clocks wrong.
 */
const LATE_MAIL_MS = 3_600_000

/** The newest of the flows that are kept; null if there is none. */
export async function readFlow(flows: FlowStorage, kinds: readonly FlowKind[]): Promise<KeptFlow | null> {
  const found: KeptFlow[] = []
  for (const kind of kinds) {
    const read = orStorageFailed(() => flows.storage.get(keyOf(flows, kind)))
    const body = parseObject((await (flows.mode === 'json' ? read : read.catch(ignore))) ?? null)
    const reply = readFlowReply(body)
    if (reply === null) continue
    const kept = { ...reply, kind, keptAtMs: Number(body?.keptAtMs) }
    if (Date.parse(reply.expires_at) + LATE_MAIL_MS > flows.clock.now()) found.push(kept)
    else await forgetFlow(flows, kind)
  }
  return found.sort((one, other) => other.keptAtMs - one.keptAtMs)[0] ?? null
}

/** Forgets a flow that has ended. What is left over if that fails expires by itself. */
export async function forgetFlow(flows: FlowStorage, kind: FlowKind): Promise<void> {
  await flows.storage.delete(keyOf(flows, kind)).catch(ignore)
}

const keyOf = ({ key }: FlowStorage, kind: FlowKind) => `${key}.${kind}`

/** A reply that tells of a flow; null for anything else. */
function readFlowReply(body: Answer['body']): FlowReply | null {
  const isWhole =
    typeof body?.expires_at === 'string' && typeof body.resend_after === 'number' && typeof body.to === 'string'
  return isWhole ? (body as FlowReply) : null
}
