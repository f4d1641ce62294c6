import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'

/** Called for each notification, and after a reconnect, when some may have been missed. */
export interface Signal {
  missed: boolean
}

/**
 * Notifies other processes on the same Postgres (NOTIFY and LISTEN), so that they poll sooner. A signal contains only its
 * sender, several may be combined, and one may be lost.
 */
export interface Signals {
  /** Notifies the listeners. Returns immediately; signals sent while one is in flight are combined into the next. */
  send(line: SignalLine): void
  /** Calls back for each signal of another sender, and after each (re)connect. Returns a function that stops listening. */
  listen(line: SignalLine, onSignal: (signal: Signal) => void): () => Promise<void>
}

export interface SignalLine {
  channel: string
  /** A random id of the sender and listener, which ignores its own signals. */
  sender: string
}

interface SignalsOptions {
  url: string
  /** Signals are sent on a pooled connection, and received on a separate one. */
  pool: pg.Pool
  /** The interval of liveness checks on an idle connection, and their timeout. */
  silenceMs: number
  log: Pick<FastifyBaseLogger, 'warn'>
}

const RECONNECT_MS = 1000

export function createSignals({ url, pool, silenceMs, log }: SignalsOptions): Signals {
  const sending = new Map<string, { again: boolean }>()

  async function sendNow({ channel, sender }: SignalLine): Promise<void> {
    const state = { again: true }
    sending.set(keyOf({ channel, sender }), state)
    try {
      while (state.again) {
        state.again = false
        await pool.query('SELECT pg_notify($1, $2)', [channel, sender])
      }
    } catch (error) {
      log.warn({ err: error, channel }, 'notification of other instances failed; they will poll')
    } finally {
      sending.delete(keyOf({ channel, sender }))
    }
  }

  return {
    send(line) {
      const state = sending.get(keyOf(line))
      if (state) state.again = true
      else void sendNow(line)
    },

    listen({ channel, sender }, onSignal) {
      const stopping = new AbortController()
      const done = keepListening(stopping.signal)

      async function keepListening(stop: AbortSignal): Promise<void> {
        let failing = false
        while (!stop.aborted) {
          try {
            await listenOnce(stop, () => (failing = false))
          } catch (error) {
            if (!failing) log.warn({ err: error, channel }, 'notifications of other instances cannot be received')
            failing = true
          }
          await pause(RECONNECT_MS, stop)
        }
      }

      /** Listens on one connection until it breaks or `stop` is aborted. */
      async function listenOnce(stop: AbortSignal, onListening: () => void): Promise<void> {
        const client = new pg.Client({
          connectionString: url,
          application_name: 'sallyport-signals',
          connectionTimeoutMillis: silenceMs,
          query_timeout: silenceMs,
        })
        let stopWaiting = () => {}
        const ended = new Promise<void>((resolve, reject) => {
          client.on('error', reject)
          client.on('end', resolve)
          stopWaiting = resolve
        })
        // Removed below: a database that is away for long has the listener added many times.
        stop.addEventListener('abort', stopWaiting)
        // It may break before it is awaited.
        ended.catch(() => undefined)
        try {
          await client.connect()
          client.on('notification', ({ payload }) => {
            if (payload !== sender) onSignal({ missed: false })
          })
          await client.query(`LISTEN ${client.escapeIdentifier(channel)}`)
          onListening()
          onSignal({ missed: true })
          await Promise.race([ended, checkUntilSilent(client, stop)])
        } finally {
          stop.removeEventListener('abort', stopWaiting)
          await close(client)
        }
      }

      /** A server that is paused or has disappeared does not close its connections. */
      async function checkUntilSilent(client: pg.Client, stop: AbortSignal): Promise<void> {
        while (!stop.aborted) {
          await pause(silenceMs, stop)
          await client.query('SELECT 1')
        }
      }

      async function close(client: pg.Client): Promise<void> {
        const timer = setTimeout(() => client.connection.stream.destroy(), RECONNECT_MS)
        await client.end().catch(() => undefined)
        clearTimeout(timer)
      }

      return () => {
        stopping.abort()
        return done
      }
    },
  }
}

const keyOf = ({ channel, sender }: SignalLine) => `${channel} ${sender}`

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    timer.unref()
    stop.addEventListener('abort', done)
  })
}
