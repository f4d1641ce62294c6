// The client SDK as an app on a device: with its own network and store, and the server's clock.

import {
  createClient,
  createMemoryStore,
  type Client,
  type ClientOptions,
  type KeyStore,
} from '../../src/sdk/client/client.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { connectTo } from './client.js'
import { createClientNetwork, type ClientNetwork } from './client-network.js'
import { PASSWORD } from './api.js'

export interface Device {
  client: Client
  network: ClientNetwork
  storage: KeyStore
  /** The pauses of the client, which take no time. */
  pausesMs: number[]
  /** The client after the app was killed and restarted: only with its store. */
  restart(): Client
  /** The content of the store. */
  kept(): Promise<{ token?: string; attempt?: string } | null>
}

export interface DeviceOptions {
  storage?: KeyStore
  origins?: string[]
  onStepUp?: ClientOptions['onStepUp']
}

export interface DeviceApp extends TestApp {
  baseUrl: string
  /** A new user on a signed-in device. */
  signUp(options?: DeviceOptions): Promise<Device & { account: { email: string; password: string }; sessionId: string }>
  device(options?: DeviceOptions): Device
}

export async function startDeviceApp(t: Test, options: StartOptions = {}): Promise<DeviceApp> {
  const app = await startApp(t, options)
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  const baseUrl = `http://127.0.0.1:${port}`

  function device({ storage = createMemoryStore(), origins = [], onStepUp }: DeviceOptions = {}): Device {
    const network = createClientNetwork()
    const pausesMs: number[] = []
    const clock = {
      now: () => app.clock.now().getTime(),
      pause: (ms: number) => {
        pausesMs.push(ms)
        return Promise.resolve()
      },
    }
    const start = () => {
      const client = createClient({ baseUrl, mode: 'json', storage, origins, fetch: network.fetch, clock, onStepUp })
      t.teardown(async () => client.close())
      return client
    }
    return {
      client: start(),
      network,
      storage,
      pausesMs,
      restart: start,
      kept: async () => JSON.parse((await storage.get(`sallyport.127.0.0.1_${port}`)) ?? 'null') as Kept,
    }
  }

  return {
    ...app,
    baseUrl,
    device,
    async signUp(options) {
      const account = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }
      const signedUp = device(options)
      await signedUp.client.register(account)
      const { state } = signedUp.client
      if (state.status !== 'signed_in' || state.session === null) throw new Error('The sign-up failed.')
      return { ...signedUp, account, sessionId: state.session.id }
    },
  }
}

type Kept = { token?: string; attempt?: string } | null

/** The code with which a call is refused; null if it succeeds. */
export async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => null,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}
