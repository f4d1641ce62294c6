import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createApiOver, type Api } from './api.js'
import { send } from './client.js'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const sources = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const operate = fileURLToPath(new URL('../../dist/operate.js', import.meta.url))

interface Test {
  teardown(work: () => void | Promise<void>): void
}

/** Sallyport as it is run: a process of its own, made by `npm run build`. */
export interface ServerProcess {
  pid: number
  port: number
  api: Api
  url: string
  /** What it has written to its standard output so far. */
  said(): string
  /** What `kill -9` does: it has no time for anything. */
  kill(): Promise<void>
  /** What an orchestrator does: it asks the process to stop, and waits. Answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** A directory that is gone when the test has ended. */
export function createFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a process with these settings, on a free port, and waits until it listens. */
export function startProcess(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  return serve(t, spawnNode(t, [main], settings))
}

/** The same from the sources, as `npm run dev` starts it, but for the watching. */
export function startFromSources(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  return serve(t, spawnNode(t, ['--import', import.meta.resolve('tsx'), sources], settings))
}

/** Starts the server of a package that is installed in a folder, by its command and with the settings of that folder. */
export function startInstalled(t: Test, folder: string): Promise<ServerProcess> {
  return serve(t, spawnInstalled(folder, ['start']))
}

/** Runs another command of that package. */
export function runInstalled(folder: string, args: string[], input = ''): Promise<Ended> {
  return runToEnd(spawnInstalled(folder, args), input)
}

function spawnInstalled(folder: string, args: string[]): ChildProcessWithoutNullStreams {
  return spawn(join(folder, 'node_modules/.bin/sallyport'), args, { cwd: folder, env: { PATH: process.env.PATH } })
}

async function serve(t: Test, child: ChildProcessWithoutNullStreams): Promise<ServerProcess> {
  child.stdin.end()
  let said = ''
  child.stdout.on('data', (bytes) => (said += String(bytes)))
  const ended = once(child, 'exit')
  const agent = new Agent({ keepAlive: true })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
    agent.destroy()
  }
  t.teardown(kill)
  const port = await portOf(child)
  return {
    pid: child.pid ?? 0,
    port,
    api: createApiOver((request) => send(port, agent, request)),
    url: `http://127.0.0.1:${port}`,
    said: () => said,
    kill,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      await ended
      agent.destroy()
      return child.exitCode
    },
  }
}

/** How a process ended, and all that it wrote. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a start that is not expected to last. */
export function runMain(t: Test, settings: Record<string, string>): Promise<Ended> {
  return runToEnd(spawnNode(t, [main], settings), '')
}

/** Runs an operator's command, as `npm run` does. `input` is what is piped to it. */
export function runOperate(t: Test, args: string[], settings: Record<string, string>, input = ''): Promise<Ended> {
  return runToEnd(spawnNode(t, [operate, ...args], settings), input)
}

async function runToEnd(child: ChildProcessWithoutNullStreams, input: string): Promise<Ended> {
  const ended = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (ended.stdout += String(bytes)))
  child.stderr.on('data', (bytes) => (ended.stderr += String(bytes)))
  // A command that reads nothing may have ended before this is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  await once(child, 'close')
  return { code: child.exitCode, ...ended }
}

function spawnNode(t: Test, args: string[], settings: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, args, {
    // Not the checkout, whose .env is the developer's.
    cwd: createFolder(t),
    env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info', ...settings },
  })
}

/** The port, from the line that says where the process listens; the process may also say why it does not. */
function portOf({ stdout, stderr }: ChildProcessWithoutNullStreams): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    stderr.on('data', (bytes) => (said += String(bytes)))
    const lines = createInterface({ input: stdout })
    lines.on('line', (line) => {
      const port = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    lines.on('close', () => reject(new Error(`The process ended. ${said}`)))
  })
}
