import { orStorageFailed } from './credential.js'
import type { FlowStorage } from './flow-storage.js'
import type { Answer } from './http.js'
import { ignore } from './ignore.js'
import { parseObject } from './json.js'

/** A sign-in that lacks a second factor. */
export interface SecondStep {
  readonly status: 'second_step'
  /** How the user can complete it; empty if a first factor has to be added. */
  readonly methods: readonly ('passkey' | 'totp' | 'recovery_code')[]
  /** What the user can add, if they have no second factor and one is required; otherwise empty. */
  readonly enroll: readonly ('totp' | 'passkey')[]
  readonly expiresAt: Date
  /** The `mfa_token`, which opens nothing but the second step; null where it is a cookie, after a sign-in at a provider. */
  readonly token: string | null
}

/** As long as the server keeps it. Measured here, because the local clock may be wrong. */
const LIFETIME_MS = 300_000

const keyOf = ({ key }: FlowStorage) => `${key}.mfa`

/** A second step whose token is a cookie: the address to which the browser came back tells of it. */
export function cookieStep({ clock }: FlowStorage, methods: string[], enroll: string[]): NonNullable<Answer['body']> {
  const expires_at = new Date(clock.now() + LIFETIME_MS).toISOString()
  return { code: 'mfa_required', methods, ...(enroll.length > 0 && { enroll }), expires_at }
}

/** Keeps the second step of which a response tells, so that it goes on after a reload. Any other response ends it. */
export async function keepSecondStep(flows: FlowStorage, body: Answer['body']): Promise<void> {
  const { storage, clock } = flows
  const isPending = body?.code === 'mfa_required'
  const kept = isPending
    ? storage.set(keyOf(flows), JSON.stringify({ ...body, keptAtMs: clock.now() }))
    : storage.delete(keyOf(flows))
  await kept.catch(ignore)
}

interface Kept extends Pick<SecondStep, 'methods'>, Partial<Pick<SecondStep, 'enroll'>> {
  mfa_token?: string
  expires_at: string
  keptAtMs: number
}

/** The second step that is kept; null if there is none, or if it has expired. */
export async function readSecondStep(flows: FlowStorage): Promise<SecondStep | null> {
  const body = parseObject(await orStorageFailed(() => flows.storage.get(keyOf(flows))))
  if (!Array.isArray(body?.methods)) return null
  const { mfa_token: token = null, expires_at, methods, enroll = [], keptAtMs } = body as unknown as Kept
  if (flows.clock.now() - keptAtMs > LIFETIME_MS) return null
  return { status: 'second_step', methods, enroll, expiresAt: new Date(expires_at), token }
}
