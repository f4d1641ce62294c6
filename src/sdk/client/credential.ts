import { ClientError } from './client-error.js'
import { parseObject } from './json.js'
import { ignore } from './ignore.js'
import type { KeyStore } from './key-store.js'

/** What is presented to refresh. */
export interface Presented {
  /** Undefined where it is a cookie, which the browser adds. */
  token: string | undefined
  /** The attempt's `Idempotency-Key`; undefined where it could not be kept, or not be shared with the other tabs. */
  attempt: string | undefined
}

/** What has to outlive the program: the refresh token of mode `json`, and the attempt that is under way. */
export interface Credential {
  /**
   * What to present, once its attempt is kept: the one that is under way already, whoever began it, or a new one.
   * Null where there is no session to refresh. Throws `storage_failed` where nothing may be presented yet.
   */
  begin(): Promise<Presented | null>
  /** Puts what came back in its place. False where a newer sign-in or a logout has changed that meanwhile. */
  complete(presented: Presented, next: string | undefined): Promise<boolean>
  /** Starts again with the token of a sign-in. Throws `storage_failed`. */
  keep(token: string | undefined): Promise<unknown>
  /** The refresh token as it is kept. */
  read(): Promise<string | undefined>
  /** Forgets it all; where `presented` is given, only if nothing newer stands there, which it answers with false. */
  forget(presented?: Presented): Promise<boolean>
}

/** As it is kept: JSON under one key. */
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
 * Mode `json`. Token and attempt are one record that is written as a whole: `{token 5, attempt k}` before the call,
 * `{token 6}` after it. Only what is kept is ever presented. A token that could not be kept is had again by the same
 * attempt, whereas one that was used from memory would leave a spent one behind for the next start.
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
        // Or else somebody has finished the same attempt.
        else return (await read()).token === next
      } catch {
        // The same attempt brings the same token back until it can be kept.
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
 * Modes `cookie` and `session`: the token is the browser's, and only the attempt is kept. Where that fails, none is
 * named: the server forgives a lost answer for some seconds then, whereas an attempt that another tab cannot repeat
 * would not be forgiven at all.
 */
export function createCookieCredential({
  storage,
  key,
  createAttempt,
}: Omit<CredentialOptions, 'storage'> & { storage: KeyStore | null }): Credential {
  async function clear(): Promise<true> {
    // An attempt that stays behind does no harm: with the next token it is a new one.
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

async function orStorageFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new ClientError('storage_failed', { cause: error })
  }
}
