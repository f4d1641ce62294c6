import type { KeyStore } from './key-store.js'
import type { Db, DbObjectStore, DbRequest, IndexedDb } from './platform.js'

const DATABASE = 'sallyport'
const STORE = 'attempts'

/**
 * A store in IndexedDB: writes are immediately visible to all tabs and survive a crash. `localStorage` guarantees
 * neither.
 */
export function createIndexedDbStore(indexedDb: IndexedDb): KeyStore {
  async function inStore<T>(mode: 'readonly' | 'readwrite', work: (store: DbObjectStore) => DbRequest<T>): Promise<T> {
    const db = await openDatabase(indexedDb)
    try {
      return await new Promise((resolve, reject) => {
        const transaction = db.transaction(STORE, mode, { durability: 'strict' })
        const request = work(transaction.objectStore(STORE))
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = () => reject(faultOf(transaction))
      })
    } finally {
      // An open connection would block upgrades and deletion by other pages.
      db.close()
    }
  }

  return {
    async get(key) {
      const value = await inStore('readonly', (store) => store.get(key))
      return typeof value === 'string' ? value : null
    },
    async set(key, value) {
      await inStore('readwrite', (store) => store.put(value, key))
    },
    async delete(key) {
      await inStore('readwrite', (store) => store.delete(key))
    },
  }
}

function openDatabase(indexedDb: IndexedDb): Promise<Db> {
  return new Promise((resolve, reject) => {
    const request = indexedDb.open(DATABASE, 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(faultOf(request))
  })
}

function faultOf({ error }: { error: unknown }): Error {
  return new Error('IndexedDB failed', { cause: error })
}
