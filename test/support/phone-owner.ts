// The owner of a phone with the app of examples/mobile.

import { cpSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startNetwork } from '../../examples/mobile/network.js'
import { createPhone } from '../../examples/mobile/phone.js'
import { PASSWORD } from './api.js'
import type { Test } from './app.js'
import { createFolder } from './process.js'

export const REFRESH = '/v1/auth/refresh'

/** The exit codes of the app: see its README.md. */
export const DONE = 0
export const REFUSED = 1
export const SIGNED_OUT = 2
export const NOT_NOW = 3
export const SECOND_STEP = 4

// tap adds hooks to every Node process. They cost time, and intercept the signal of a full disk.
export const node = ['env', '-u', 'NODE_OPTIONS', process.execPath]
const killedAt = [
  ...node,
  `--import=${import.meta.resolve('tsx')}`,
  `--import=${new URL('kill-at.ts', import.meta.url).href}`,
]
const onFullDisk = ['sh', '-c', 'ulimit -f 0 && exec "$0" "$@"', ...node]

/** A user who has just registered with the app, and faults of their phone. */
export async function registerOnPhone(t: Test, port: number) {
  const email = `${crypto.randomUUID()}@example.com`
  const folder = createFolder(t)
  const network = await startNetwork(`http://127.0.0.1:${port}`)
  t.teardown(network.disconnect)
  const keyStore = join(folder, 'phone')
  const on = { name: 'Phone', keyStore, url: network.url, node }
  const phone = createPhone(on)
  const { code, said } = await phone.run(['register', email], PASSWORD)
  if (code !== DONE) throw new Error(said)
  return {
    email,
    network,
    phone,
    keyStore,
    /** The same phone, whose app is killed at a call of the file system: see kill-at.ts. */
    killedAt: (moment: string) => createPhone({ ...on, node: killedAt, env: { KILL_AT: moment } }),
    /** The same phone with a full disk. */
    withFullDisk: () => createPhone({ ...on, node: onFullDisk }),
    /** Another device on the same network, with its own key store or a copy of the phone's. */
    device: (name: string) => createPhone({ ...on, name, keyStore: join(folder, name) }),
    copyKeyStoreTo: (name: string) => cpSync(keyStore, join(folder, name), { recursive: true }),
    /** A key store that exists, but fails at every access. */
    lockKeyStore() {
      renameSync(keyStore, `${keyStore}.locked`)
      writeFileSync(keyStore, '')
    },
    unlockKeyStore() {
      unlinkSync(keyStore)
      renameSync(`${keyStore}.locked`, keyStore)
    },
    readRecord: async (): Promise<unknown> => JSON.parse(await readKeyStore(keyStore)),
  }
}

/** The value of the one key that the client stores. */
async function readKeyStore(folder: string): Promise<string> {
  const [name = ''] = (await readdir(folder)).sort()
  return readFile(join(folder, name), 'utf8')
}

/** The session that the app prints. */
export const sessionOf = (said: string) => /session ([0-9a-f-]{36})/.exec(said)?.[1]
