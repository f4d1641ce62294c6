// Sallyport as `npm start` runs it, for measurements.

import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import packageJson from '../package.json' with { type: 'json' }
import { withClient } from './postgres-client.js'

// The arguments that `npm start` passes to Node.
export const [, ...startArguments] = packageJson.scripts.start.split(' ')

const READY_WITHIN_MS = 60_000

export interface Server {
  url: string
  process: ChildProcess
  /** The time from the start of the process until it was ready. */
  readyMs: number
  stop(): Promise<void>
  /** Sends SIGKILL. */
  kill(): Promise<void>
}

/** Starts Sallyport with these settings, and waits until it is ready. */
export function startServer(settings: Record<string, string>, nodeArguments: string[] = []): Promise<Server> {
  const { args, ...program } = sallyportProgram(settings)
  return startProgram({ ...program, args: [...nodeArguments, ...args] })
}

// All requests come from one address, and exceed any limit.
const measuring = { LOG_LEVEL: 'error', RATE_LIMIT: 'off' }

export function sallyportProgram(settings: Record<string, string>): Program {
  return { args: startArguments, readyPath: '/readyz', settings: { ...measuring, ...settings } }
}

export interface Program {
  /** The arguments for Node. */
  args: string[]
  /** The path that answers with success when the program can serve. */
  readyPath: string
  settings: Record<string, string>
  /** The working directory; this process's own by default. */
  folder?: string
  /** Its standard error is shown only if it does not start. */
  quiet?: boolean
  /** Receives each line that it writes to standard output and standard error. */
  onLine?: (line: string) => void
  /** Whether to open an IPC channel to it. */
  hearsParent?: boolean
}

/** Starts a program that listens at PORT, and waits until it is ready. */
export async function startProgram(program: Program): Promise<Server> {
  const { args, readyPath, settings, folder, quiet = false, onLine, hearsParent = false } = program
  const port = await freePort()
  const startedAt = performance.now()
  const server = spawn(process.execPath, args, {
    ...(folder !== undefined && { cwd: folder }),
    env: { PATH: process.env.PATH, PORT: String(port), ...settings },
    stdio: [
      'ignore',
      onLine ? 'pipe' : 'ignore',
      quiet || onLine ? 'pipe' : 'inherit',
      ...(hearsParent ? ['ipc' as const] : []),
    ],
  })
  for (const output of onLine ? [server.stdout, server.stderr] : []) {
    if (output && onLine) createInterface(output).on('line', onLine)
  }
  let said = ''
  server.stderr?.on('data', (bytes) => (said += String(bytes)))
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  const stop = () => end('SIGTERM')
  try {
    await untilReady(server, `http://127.0.0.1:${port}${readyPath}`)
  } catch (error) {
    await stop()
    process.stderr.write(said)
    throw error
  }
  const readyMs = performance.now() - startedAt
  return { url: `http://127.0.0.1:${port}`, process: server, readyMs, stop, kill: () => end('SIGKILL') }
}

async function untilReady(server: ChildProcess, url: string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS
  while (performance.now() < end) {
    if (server.exitCode !== null) throw new Error(`The server ended with exit code ${server.exitCode}.`)
    const answer = await fetch(url).catch(() => null)
    if (answer?.ok) return
    await pause(5)
  }
  throw new Error(`No server was ready at ${url} within ${READY_WITHIN_MS / 1000} s.`)
}

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  return port
}

/** Runs work with an empty database on that Postgres, and drops it. */
export async function withEmptyDatabase<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `sallyport_bench_${randomBytes(8).toString('hex')}`
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return withClient(serverUrl, async (server) => {
    try {
      await server.query(`CREATE DATABASE ${name}`)
      return await work(url.href)
    } finally {
      await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    }
  })
}
