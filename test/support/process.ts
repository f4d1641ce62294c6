import { spawn, type ChildProcess } from 'node:child_process'
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

interface Test {
  teardown(work: () => void | Promise<void>): void
}

/** Sallyport as it is run: a process of its own, made by `npm run build`. */
export interface ServerProcess {
  api: Api
  /** What `kill -9` does: it has no time for anything. */
  kill(): Promise<void>
  /** What an orchestrator does: it asks the process to stop, and waits. Answers the exit code. */
  stop(): Promise<number | null>
}

/** A directory that is gone when the test has ended. */
export function createFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a process with these settings, on a free port, and waits until it listens. */
export async function startProcess(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  const cwd = createFolder(t)
  const child = spawn(process.execPath, [main], {
    // Not the checkout, whose .env is the developer's.
    cwd,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
    api: createApiOver((request) => send(port, agent, request)),
    kill,
    async stop() {
      child.kill('SIGTERM')
      await ended
      agent.destroy()
      return child.exitCode
    },
  }
}

/** The port, from the line that says where the process listens; the process may also say why it does not. */
function portOf({ stdout, stderr }: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = ''
    stderr?.on('data', (bytes) => (said += String(bytes)))
    const lines = createInterface({ input: stdout ?? process.stdin })
    lines.on('line', (line) => {
      const port = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    lines.on('close', () => reject(new Error(`The process ended. ${said}`)))
  })
}
