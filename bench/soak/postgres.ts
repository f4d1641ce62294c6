import { execFile } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, withEmptyDatabase } from '../servers.js'
import { findPostgresProgram } from '../postgres-programs.js'
import { startTcpProxy } from '../../test/support/tcp-proxy.js'

/** A Postgres that can be made to fail. */
export interface FailingPostgres {
  url: string
  /** Describes the failure. */
  failure: string
  /** Makes it fail, and waits until it serves again. */
  fail(): Promise<void>
}

type Work<T> = (postgres: FailingPostgres) => Promise<T>

/**
 * Runs work with a separate Postgres where its programs are installed, otherwise with a proxy to the given one that can
 * be cut.
 */
export async function withFailingPostgres<T>(
  { sharedUrl, shared }: { sharedUrl: string; shared: boolean },
  work: Work<T>,
): Promise<T> {
  const programs = { initdb: findPostgresProgram('initdb'), control: findPostgresProgram('pg_ctl') }
  return !shared && programs.initdb !== null && programs.control !== null
    ? withOwn(programs.initdb, programs.control, work)
    : withEmptyDatabase(sharedUrl, (url) => withProxy(url, work))
}

async function withOwn<T>(initdb: string, control: string, work: Work<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'))
  const account = await accountOfPostgres()
  if (account !== null) chownSync(folder, account.uid, account.gid)
  const run = async (program: string, ...args: string[]) => {
    // Postgres refuses to run as root.
    const su = ['postgres', '-s', '/bin/sh', '-c', shell(program, args)]
    const [file, rest] = account === null ? [program, args] : ['su', su]
    await promisify(execFile)(file, rest, { cwd: folder })
  }
  const data = join(folder, 'data')
  const port = await freePort()
  const controlled = (...args: string[]) => run(control, '-D', data, '-l', join(folder, 'log'), '-w', ...args)
  await run(initdb, '-D', data, '-A', 'trust', '-U', 'postgres')
  await controlled('-o', `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`, 'start')
  try {
    return await work({
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      failure: 'a separate Postgres, restarted without a shutdown checkpoint, as after a crash',
      fail: () => controlled('-m', 'immediate', 'restart'),
    })
  } finally {
    await controlled('-m', 'fast', 'stop')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withProxy<T>(url: string, work: Work<T>): Promise<T> {
  const proxy = await startTcpProxy(url)
  try {
    return await work({
      url: proxy.url,
      failure: 'the Postgres of DATABASE_URL: all connections cut, and new ones blocked for 2 s',
      async fail() {
        await proxy.stop()
        await pause(2000)
        await proxy.start()
      },
    })
  } finally {
    await proxy.stop()
  }
}

/** The user to run as; null for the current one, if it is not root. */
async function accountOfPostgres(): Promise<{ uid: number; gid: number } | null> {
  if (userInfo().uid !== 0) return null
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

function shell(program: string, args: string[]): string {
  return [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
