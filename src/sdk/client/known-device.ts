import { ignore } from './ignore.js'
import type { KeyStore } from './key-store.js'

/**
 * The token that identifies a known device to Sallyport, so that attackers cannot lock the owner out. It grants no access,
 * is kept after logout, and is optional: storage errors are ignored.
 */
export interface KnownDevice {
  read(): Promise<string | undefined>
  keep(token: string): Promise<unknown>
}

/** Creates the store of the device token for mode `json`; in the other modes it is a cookie. */
export function createKnownDevice(storage: KeyStore, key: string): KnownDevice {
  return {
    read: async () => (await storage.get(key).catch(ignore)) ?? undefined,
    keep: (token) => storage.set(key, token).catch(ignore),
  }
}
