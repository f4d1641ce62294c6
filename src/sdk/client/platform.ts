/**
 * The platform APIs that are used. Browsers have all of them, React Native and Node fewer: each may be missing, and none
 * is accessed before a client is created.
 */
export interface Platform {
  /** Defined in pages and workers. Without it, the platform is not a browser, and cookies are not shared. */
  location?: object
  navigator?: { locks?: WebLocks }
  BroadcastChannel?: new (name: string) => TabChannel
  indexedDB?: IndexedDb
  crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array }
}

/** Web Locks (W3C): one tab at a time holds a lock. */
export interface WebLocks {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean; steal?: boolean; signal?: AbortSignal },
    work: (lock: object | null) => Promise<T>,
  ): Promise<T>
}

/** A channel between all tabs of an origin. */
export interface TabChannel {
  postMessage(message: unknown): void
  onmessage: ((event: { data: unknown }) => void) | null
  close(): void
  /** Only in Node, where a channel keeps the process alive. */
  unref?(): void
}

export interface IndexedDb {
  open(name: string, version: number): DbRequest<Db> & { onupgradeneeded: (() => void) | null }
}

export interface DbRequest<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

export interface Db {
  createObjectStore(name: string): unknown
  transaction(store: string, mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): DbTransaction
  close(): void
}

export interface DbTransaction {
  objectStore(name: string): DbObjectStore
  readonly error: unknown
  oncomplete: (() => void) | null
  onabort: (() => void) | null
}

export interface DbObjectStore {
  get(key: string): DbRequest<unknown>
  put(value: string, key: string): DbRequest<unknown>
  delete(key: string): DbRequest<unknown>
}

export function readPlatform(): Platform {
  return globalThis as unknown as Platform
}
