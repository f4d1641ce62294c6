import type { Mode } from '../../wire/mode.js'
import type { CallAsUser } from './account.js'
import type { FindTokens } from './authorized-fetch.js'
import type { FlowStorage } from './flow-storage.js'
import type { Held } from './held.js'
import type { Answer } from './http.js'
import type { KnownDevice } from './known-device.js'
import type { Lock } from './lock.js'
import type { CreateRandom } from './random.js'
import type { Session } from './session.js'
import type { SignIn } from './sign-in.js'

/**
 * A member of the client that its type does not show. As a registered symbol it is found through the wrappers of reactive
 * frameworks, and if the entries were bundled apart.
 */
export const internals = Symbol.for('@sallyport/client')

/** What the other entries use of a client. */
export interface Internals extends Pick<SignIn, 'signIn' | 'asSignIn'> {
  /** Without a trailing slash. */
  baseUrl: string
  mode: Mode
  lock: Lock
  session: Session
  device: KnownDevice | undefined
  flows: FlowStorage
  /** Calls a route of Sallyport with the credentials of the mode. */
  send: (path: string, init: RequestInit, signal?: AbortSignal) => Promise<Answer>
  call: CallAsUser
  findTokens: FindTokens
  /** Newer tokens than these. */
  refresh: (stale: Held | null) => Promise<Held>
  createRandom: CreateRandom
}

/** Throws a TypeError if the client was not created by `createClient` of the same version. */
export function internalsOf(client: object): Internals {
  if (!(internals in client)) throw new TypeError('"client" must be created by createClient')
  return client[internals] as Internals
}
