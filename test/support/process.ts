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
const collector = new URL('../../bench/soak/collector.js', import.meta.url).href

interface Test {
  teardown(work: () => void | Promise<void>): void
}

/** Sallyport as a separate process, from the output of `npm run build`. */
export interface ServerProcess {
  pid: number
  port: number
  api: Api
  url: string
  /** Its standard output so far. */
  said(): string
  /** Sends SIGKILL. */
  kill(): Promise<void>
  /** Sends SIGTERM, as an orchestrator does, and waits. Returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** A directory that is removed when the test has ended. */
export function createFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a process with these settings, on a free port, and waits until it listens. */
export function startProcess(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  return serve(t, spawnNode(t, [main], settings))
}

/** The same, with `collect`, which has the process collect its garbage and returns the bytes its heap then has in use. */
export async function startCollecting(
  t: Test,
  settings: Record<string, string>,
): Promise<ServerProcess & { collect(): Promise<number> }> {
  const child = spawnNode(t, ['--expose-gc', '--import', collector, main], settings, ['ipc'])
  const collect = async () => {
    child.send('collect')
    const [{ heapBytes }] = (await once(child, 'message')) as [{ heapBytes: number }]
    return heapBytes
  }
  return { ...(await serve(t, child)), collect }
}

/** The same from the sources, like `npm run dev` without watching. */
export function startFromSources(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  // It works in another folder, where tsx would not find out how JSX is compiled.
  const compiling = { TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)) }
  return serve(t, spawnNode(t, ['--import', import.meta.resolve('tsx'), sources], { ...compiling, ...settings }))
}

/** Starts the server of an installed package in a folder, by its command and with the folder's settings. */
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

/** The exit of a process, and its whole output. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a start that is expected to fail. */
export function runMain(t: Test, settings: Record<string, string>): Promise<Ended> {
  return runToEnd(spawnNode(t, [main], settings), '')
}

/** Runs an operator's command like `npm run`. `input` is piped to it. */
export function runOperate(t: Test, args: string[], settings: Record<string, string>, input = ''): Promise<Ended> {
  return runToEnd(spawnNode(t, [operate, ...args], settings), input)
}

async function runToEnd(child: ChildProcessWithoutNullStreams, input: string): Promise<Ended> {
  const ended = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (ended.stdout += String(bytes)))
  child.stderr.on('data', (bytes) => (ended.stderr += String(bytes)))
  // A command that reads no input may have exited before.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  await once(child, 'close')
  return { code: child.exitCode, ...ended }
}

function spawnNode(
  t: Test,
  args: string[],
  settings: Record<string, string>,
  channel: 'ipc'[] = [],
): ChildProcessWithoutNullStreams {
  // Like the process of the test (scripts/tests/runner.js).
  return spawn(process.execPath, ['--liftoff-only', ...args], {
    // Not the checkout, whose .env belongs to the developer.
    cwd: createFolder(t),
    env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info', ...settings },
    stdio: ['pipe', 'pipe', 'pipe', ...channel],
  }) as ChildProcessWithoutNullStreams
}

/** The port, from the output line with the address; rejects with the output if the process exits instead. */
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
