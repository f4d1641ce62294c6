import { orStorageFailed } from './credential.js'
import type { FlowStorage } from './flow-storage.js'
import { ignore } from './ignore.js'
import { parseObject } from './json.js'

/** A sign-in at a provider, or a link, that has begun here and whose browser has not come back yet. */
export interface ProviderAttempt {
  provider: string
  purpose: 'sign_in' | 'link'
  /** Of the code in mode `json`. */
  verifier?: string | undefined
}

/** Ten minutes at the provider, and the one for which a code is valid. Measured here, because the local clock may be wrong. */
const LIFETIME_MS = 660_000

const keyOf = ({ key }: FlowStorage) => `${key}.provider`

/** Keeps it, so that it survives the way to the provider and back; the newest one counts. Throws `storage_failed` in mode json. */
export async function keepAttempt(flows: FlowStorage, attempt: ProviderAttempt): Promise<void> {
  const text = JSON.stringify({ ...attempt, keptAtMs: flows.clock.now() })
  const kept = orStorageFailed(() => flows.storage.set(keyOf(flows), text))
  // In the other modes the session comes by cookies, and is found without it.
  await (flows.mode === 'json' ? kept : kept.catch(ignore))
}

/** The attempt that is kept; null if there is none, or if it has expired. */
export async function readAttempt(flows: FlowStorage): Promise<ProviderAttempt | null> {
  const read = orStorageFailed(() => flows.storage.get(keyOf(flows)))
  const kept = parseObject((await (flows.mode === 'json' ? read : read.catch(ignore))) ?? null)
  if (kept === null || flows.clock.now() - Number(kept.keptAtMs) > LIFETIME_MS) return null
  return kept as unknown as ProviderAttempt
}

/** Forgets it. What is left over if that fails expires by itself. */
export async function forgetAttempt(flows: FlowStorage): Promise<void> {
  await flows.storage.delete(keyOf(flows)).catch(ignore)
}
