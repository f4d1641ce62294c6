// Connects pg to the embedded database: a pool of one connection, whose stream is PGlite's wire protocol. The embedded
// database therefore uses the same driver and the same adapter as a Postgres server.

import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { eventLoop } from '../event-loop.js'

/** Creates the pool for Prisma's adapter. PGlite has one session, so nothing else may use it at the same time. */
export function createEmbeddedPool(engine: PGlite, waitMs: number): pg.Pool {
  return new pg.Pool({
    stream: () => new EngineStream(engine),
    max: 1,
    // A new connection would have to prepare its statements again.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: waitMs,
    // pg would otherwise read these from the environment, as for a server on the network.
    ssl: false,
    host: 'embedded',
    user: 'postgres',
  })
}

/** AuthenticationOk and ReadyForQuery, outside a transaction. PGlite has no authentication. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** A connection of the wire protocol to PGlite, in the shape of a socket. */
class EngineStream extends Duplex {
  readonly #engine: PGlite
  #started = false

  constructor(engine: PGlite) {
    super()
    this.#engine = engine
  }

  /** Called by pg with an address, which is ignored. */
  connect(): this {
    this.#reset().then(
      () => this.emit('connect'),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    )
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {
    // Responses of PGlite are pushed when they are available.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#exchange(chunk, done)
  }

  /** The messages of one statement arrive together, and their responses are sent together. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#exchange(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null)
    done()
  }

  /** A broken connection may have left a transaction open, and its prepared statements remain. */
  async #reset(): Promise<void> {
    if (this.#engine.isInTransaction()) await this.#engine.exec('ROLLBACK')
    await this.#engine.exec('DISCARD ALL')
    // Times are written and read without a time zone, so the session must use the same one as Prisma.
    await this.#engine.exec(`SET TIME ZONE 'UTC'`)
  }

  #exchange(message: Buffer, done: (error?: Error | null) => void): void {
    if (!this.#started) {
      this.#started = true
      this.push(welcome)
      done()
      return
    }
    // PGlite responds synchronously, and the code that awaits it continues in the same turn of the event loop. Running
    // each statement in its own turn lets requests, connections and timers be served in between.
    eventLoop.beginStatement(() => {
      if (this.destroyed) {
        done()
        return
      }
      // Not `execProtocolRaw`, which keeps every message that it has ever parsed.
      this.#engine.execProtocol(message, { throwOnError: false }).then(
        ({ data }) => {
          this.push(data)
          done()
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      )
    })
  }
}
