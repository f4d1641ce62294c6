import { execFile } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../servers.js'
import { findPostgresProgram } from '../postgres-programs.js'
import { startTcpProxy } from '../../test/support/tcp-proxy.js'

/** A Postgres that can be made to fail. */
export interface FailingPostgres {
  url: string
  /** What a failure is here. */
  failure: string
  /** Has it fail, and waits until it serves again. */
  fail(): Promise<void>
  close(): Promise<void>
}

/** One of our own where its programs are installed, else a way to the given one that can be cut. */
export async function startFailingPostgres(sharedUrl: string): Promise<FailingPostgres> {
  const programs = { initdb: findPostgresProgram('initdb'), control: findPostgresProgram('pg_ctl') }
  return programs.initdb !== null && programs.control !== null
    ? startOwn(programs.initdb, programs.control)
    : startBehindProxy(sharedUrl)
}

async function startOwn(initdb: string, control: string): Promise<FailingPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'))
  const port = await freePort()
  const account = await accountOfPostgres()
  if (account !== null) chownSync(folder, account.uid, account.gid)
  const data = join(folder, 'data')
  const run = async (program: string, ...args: string[]) => {
    // Postgres refuses to run as root.
    const [file, rest] =
      account === null ? [program, args] : ['su', ['postgres', '-s', '/bin/sh', '-c', shell(program, args)]]
    await promisify(execFile)(file, rest, { cwd: folder })
  }
  await run(initdb, '-D', data, '-A', 'trust', '-U', 'postgres')
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`
  const log = join(folder, 'log')
  await run(control, '-D', data, '-o', options, '-l', log, '-w', 'start')
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    failure: 'a Postgres of its own, restarted without a shutdown checkpoint, as after a crash',
    fail: () => run(control, '-D', data, '-l', log, '-m', 'immediate', '-w', 'restart'),
    async close() {
      await run(control, '-D', data, '-m', 'fast', '-w', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startBehindProxy(url: string): Promise<FailingPostgres> {
  const proxy = await startTcpProxy(url)
  return {
    url: proxy.url,
    failure: 'every connection to the shared Postgres cut, and none let through for 2 s',
    async fail() {
      await proxy.stop()
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await proxy.start()
    },
    close: () => proxy.stop(),
  }
}

/** Whom to run as; null for whoever this is, who is not root. */
async function accountOfPostgres(): Promise<{ uid: number; gid: number } | null> {
  if (userInfo().uid !== 0) return null
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

function shell(program: string, args: string[]): string {
  return [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
