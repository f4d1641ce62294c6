/** Keeps small texts beyond the life of the program; the shape of a mobile platform's secure key store. */
export interface KeyStore {
  get(key: string): Promise<string | null>
  /** Resolves when the text is safe. The one that stood there before is replaced as a whole. */
  set(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
}

/** A store that ends with the program. */
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
