import { ignore } from './ignore.js'
import type { KeyStore } from './key-store.js'

/**
 * What shows Sallyport that the account was signed in on this device before, so that strangers who guess at it do not
 * shut its owner out. It opens nothing, outlives logout, and is done without where it cannot be kept.
 */
export interface KnownDevice {
  read(): Promise<string | undefined>
  keep(token: string): Promise<unknown>
}

/** For mode `json`; in the other modes it is a cookie. */
export function createKnownDevice(storage: KeyStore, key: string): KnownDevice {
  return {
    read: async () => (await storage.get(key).catch(ignore)) ?? undefined,
    keep: (token) => storage.set(key, token).catch(ignore),
  }
}
