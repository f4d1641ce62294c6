import { startProgram, type Program, type Server } from '../servers.js'
import { startDatabaseProxy, type DatabaseProxy } from './database-proxy.js'
import { startFaultProxy } from './fault-proxy.js'
import { createSend, type Fate, type Received, type Send } from './http.js'
import type { Promised } from './promise.js'
import type { Proof } from './proof.js'

/** The credentials that a client of a target holds. */
export interface Held {
  /** What the target renews: a refresh token, or the session's own token where there is none. */
  refreshToken: string
  accessToken: string
  /** Proof of possession for the token (DPoP). A thief who copies a token does not have it. */
  proof?: Proof
}

export type Answer =
  | { outcome: 'served'; held: Held }
  /** Refused for now: another request was faster. */
  | { outcome: 'superseded' }
  | { outcome: 'refused'; how: string }
  /** The target reports an error of its own. */
  | { outcome: 'unavailable' }
  /** No answer arrived. */
  | { outcome: 'lost' }

export interface RefreshOptions {
  attemptKey: string
  fate?: Fate | undefined
}

/** The operations that the scenarios use. */
export interface Protocol {
  /** Creates a user and signs them in. */
  signUp(): Promise<{ user: string; held: Held }>
  /** Signs a user in on another device. */
  signIn(user: string): Promise<Held>
  refresh(held: Held, options: RefreshOptions): Promise<Answer>
  /** Whether the target accepts the access token now. */
  isAlive(held: Held): Promise<boolean>
}

export interface Target extends Protocol {
  /** Starts a second process, to take over from the serving one. */
  prepareStandby(): Promise<void>
  /** Kills the serving process with `kill -9`; the standby takes over. */
  failOver(): Promise<void>
  /** Kills the serving process with `kill -9`, and starts a new one. */
  restart(): Promise<void>
  /** Stops the database's answers at a message of the serving process: see `DatabaseProxy`. */
  stopDatabaseAfter(messages: number): Promise<void>
  passDatabase(): void
  close(): Promise<void>
}

/** One column of the table. */
export interface TargetKind {
  name: string
  /** Its configuration, for the reader of the table. */
  describe(graceSeconds: number): string
  /** The measured packages, with their versions. */
  version(): string
  /** What Sallyport promises; the others make no such promise. */
  promised?: Promised
  program(given: { databaseUrl: string; graceSeconds: number }): Program
  connect(send: Send): Protocol
}

/** Starts a target on an empty database, with a proxy on either side of its process. */
export async function startTarget(kind: TargetKind, databaseUrl: string, graceSeconds: number): Promise<Target> {
  const start = () => startInstance(kind, databaseUrl, graceSeconds)
  let serving = await start()
  let standby: Instance | null = null
  const front = await startFaultProxy(() => Number(new URL(serving.server.url).port))
  return {
    ...kind.connect(createSend(front.port)),
    async prepareStandby() {
      standby ??= await start()
    },
    async failOver() {
      if (standby === null) throw new Error('There is no standby.')
      await serving.kill()
      serving = standby
      standby = null
    },
    async restart() {
      await serving.kill()
      serving = await start()
    },
    stopDatabaseAfter: (messages) => serving.database.stopAfter(messages),
    passDatabase: () => serving.database.pass(),
    async close() {
      await Promise.all([serving.kill(), standby?.kill()])
      await front.close()
    },
  }
}

interface Instance {
  server: Server
  database: DatabaseProxy
  kill(): Promise<void>
}

async function startInstance(kind: TargetKind, databaseUrl: string, graceSeconds: number): Promise<Instance> {
  const database = await startDatabaseProxy(databaseUrl)
  const server = await startProgram(kind.program({ databaseUrl: database.url, graceSeconds }))
  return {
    server,
    database,
    async kill() {
      await server.kill()
      await database.close()
    },
  }
}

/** Reads the answer to a refresh; a missing one counts as an answer too. */
export async function answerTo(sending: Promise<Received>, read: (received: Received) => Answer): Promise<Answer> {
  const received = await sending.catch(() => null)
  if (received === null) return { outcome: 'lost' }
  return received.status >= 500 || received.status === 429 ? { outcome: 'unavailable' } : read(received)
}
