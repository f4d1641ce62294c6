// What makes the Postgres in this process a server to pg: a pool of one connection, whose stream ends in PGlite. So the
// embedded database is spoken to by the same driver and the same adapter as a Postgres elsewhere.

import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { eventLoop } from '../event-loop.js'

/** The pool to hand to Prisma's adapter. Nothing else may use the engine while the pool does: it has one session. */
export function createEmbeddedPool(engine: PGlite, waitMs: number): pg.Pool {
  return new pg.Pool({
    stream: () => new EngineStream(engine),
    max: 1,
    // A new connection would have to prepare its statements again.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: waitMs,
    // What pg would otherwise take from the environment, as if there were a network between.
    ssl: false,
    host: 'embedded',
    user: 'postgres',
  })
}

/** AuthenticationOk and ReadyForQuery, outside a transaction. PGlite has no users to tell apart. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** A connection of the wire protocol to PGlite, in the shape of a socket. */
class EngineStream extends Duplex {
  readonly #engine: PGlite
  #started = false

  constructor(engine: PGlite) {
    super()
    this.#engine = engine
  }

  /** Called by pg with an address, which means nothing here. */
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

  /** The messages of one statement arrive together, and are answered together. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#exchange(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null)
    done()
  }

  /** A connection that broke may have left a transaction open, and has left its prepared statements behind. */
  async #reset(): Promise<void> {
    if (this.#engine.isInTransaction()) await this.#engine.exec('ROLLBACK')
    await this.#engine.exec('DISCARD ALL')
    // Times are written and read without a zone, so the session has to think in the one that Prisma thinks in.
    await this.#engine.exec(`SET TIME ZONE 'UTC'`)
  }

  #exchange(message: Buffer, done: (error?: Error | null) => void): void {
    if (!this.#started) {
      this.#started = true
      this.push(welcome)
      done()
      return
    }
    // PGlite answers within its turn of the event loop, and what waits for the answer goes on in the same one. A turn of
    // their own for each statement lets requests, connections and timers in between, however much work is waiting.
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
