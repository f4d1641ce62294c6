/** A persistent store for small strings, shaped like the secure key store of mobile platforms. */
export interface KeyStore {
  get(key: string): Promise<string | null>
  /** Resolves when the value is stored durably. Must replace the previous value atomically. */
  set(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
}

/** A store in memory. */
export function createMemoryStore(): KeyStore {
  const values = new Map<string, string>()
  return {
    get: (key) => Promise.resolve(values.get(key) ?? null),
    set(key, value) {
      values.set(key, value)
      return Promise.resolve()
    },
    delete(key) {
      values.delete(key)
      return Promise.resolve()
    },
  }
}
