import { ClientError } from './client-error.js'
import { parseObject } from './json.js'
import { ignore } from './ignore.js'
import type { KeyStore } from './key-store.js'

/** The credential of a refresh request. */
export interface Presented {
  /** Undefined if it is a cookie, which the browser sends. */
  token: string | undefined
  /** The `Idempotency-Key` of the attempt; undefined if it could not be stored or shared with other tabs. */
  attempt: string | undefined
}

/** Persistent state: the refresh token in mode `json`, and the current attempt. */
export interface Credential {
  /**
   * Stores and returns what to present: the current attempt, whichever tab or process started it, or a new one.
   * Null if there is no session to refresh. Throws `storage_failed` if the attempt could not be stored.
   */
  begin(): Promise<Presented | null>
  /** Stores the new token. False if a newer sign-in or a logout has replaced the old one meanwhile. */
  complete(presented: Presented, next: string | undefined): Promise<boolean>
  /** Stores the token of a new sign-in. Throws `storage_failed`. */
  keep(token: string | undefined): Promise<unknown>
  /** The stored refresh token. */
  read(): Promise<string | undefined>
  /** Deletes everything; with `presented`, only if nothing newer is stored, and false otherwise. */
  forget(presented?: Presented): Promise<boolean>
}

/** The stored record: JSON under one key. */
interface Kept {
  token?: string | undefined
  attempt?: string | undefined
}

export interface CredentialOptions {
  storage: KeyStore
  key: string
  createAttempt: () => string
}

/**
 * Mode `json`. Token and attempt are one record that is written atomically: `{token 5, attempt k}` before the request,
 * `{token 6}` after it. Only stored tokens are presented. If a token could not be stored, the same attempt returns it
 * again, whereas using it from memory would leave a used token in the store for the next start.
 */
export function createStoredCredential({ storage, key, createAttempt }: CredentialOptions): Credential {
  const read = () => orStorageFailed(async () => parseRecord(await storage.get(key)))
  // JSON leaves out what is undefined.
  const write = (record: Kept) => orStorageFailed(() => storage.set(key, JSON.stringify(record)))

  async function isStill({ token, attempt }: Presented): Promise<boolean> {
    const record = await read()
    return record.token === token && record.attempt === attempt
  }

  return {
    async begin() {
      const { token, attempt } = await read()
      if (token === undefined) return null
      if (attempt !== undefined) return { token, attempt }
      const begun = { token, attempt: createAttempt() }
      await write(begun)
      return begun
    },
    async complete(presented, next) {
      try {
        if (await isStill(presented)) await write({ token: next })
        // Otherwise another process may have finished the same attempt.
        else return (await read()).token === next
      } catch {
        // The same attempt returns the same token until it can be stored.
      }
      return true
    },
    keep: (token) => write({ token }),
    async read() {
      return (await read()).token
    },
    async forget(presented) {
      if (presented !== undefined && !(await isStill(presented))) return false
      await orStorageFailed(() => storage.delete(key))
      return true
    },
  }
}

/**
 * Modes `cookie` and `session`: the browser stores the token, and only the attempt is stored here. If that fails, no key
 * is sent: the server then allows retries for some seconds, whereas a key that other tabs cannot reuse would allow none.
 */
export function createCookieCredential({
  storage,
  key,
  createAttempt,
}: Omit<CredentialOptions, 'storage'> & { storage: KeyStore | null }): Credential {
  async function clear(): Promise<true> {
    // A leftover attempt key is harmless: with the next token it identifies a new attempt.
    await storage?.delete(key).catch(ignore)
    return true
  }

  async function beginAttempt(): Promise<string | undefined> {
    if (storage === null) return undefined
    try {
      const { attempt = createAttempt() } = parseRecord(await storage.get(key))
      await storage.set(key, JSON.stringify({ attempt }))
      return attempt
    } catch {
      return undefined
    }
  }

  return {
    begin: async () => ({ token: undefined, attempt: await beginAttempt() }),
    complete: clear,
    keep: clear,
    read: () => Promise.resolve(undefined),
    forget: clear,
  }
}

const parseRecord = (text: string | null): Kept => parseObject(text) ?? {}

/** Throws `storage_failed` for any error of the store. */
export async function orStorageFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new ClientError('storage_failed', { cause: error })
  }
}
