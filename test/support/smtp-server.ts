import { once } from 'node:events'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail server that can be stopped and started again, on the same port. */
export interface SmtpServer {
  readonly port: number
  /** Cuts all connections and stops answering, as if the machine were off. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a mail server on this machine, without accounts unless the options say otherwise. */
export async function startSmtpServer(options: SMTPServerOptions): Promise<SmtpServer> {
  const create = () => new SMTPServer({ authOptional: true, logger: false, disableReverseLookup: true, ...options })
  let server: SMTPServer
  let port = 0

  async function start(): Promise<void> {
    server = create()
    // Connections that break are what this is about.
    server.on('error', () => undefined)
    const listening = server.listen(port, '127.0.0.1')
    await once(listening, 'listening')
    const address = listening.address()
    if (typeof address === 'object' && address !== null) port = address.port
  }

  await start()
  return {
    get port() {
      return port
    },
    start,
    stop: () =>
      new Promise<void>((resolve) => {
        for (const connection of server.connections) connection.close()
        server.close(() => resolve())
      }),
  }
}
