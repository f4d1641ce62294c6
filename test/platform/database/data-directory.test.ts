import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import {
  DataDirectoryInUse,
  findHolder,
  lockDataDirectory,
  sendCommand,
} from '../../../src/platform/database/data-directory.js'

// Paths of sockets are short, and tap's test directory is deeply nested.
function makeFolder(t: Tap): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Tap = Pick<typeof t, 'teardown'>

const program = new URL('hold-data-directory.ts', import.meta.url).pathname

/** A process that waits for `go` before it tries to lock the directory; `said` is its next output. */
async function startProcess(t: Tap, dataDir: string) {
  const child = spawn(process.execPath, ['--import=tsx', program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said = async () => String((await lines.next()).value)
  t.teardown(() => lines.return?.())
  if ((await said()) !== 'ready') throw new Error('the process did not start')
  return { child, said, go: () => child.stdin.write('go\n') }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function sockets(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'locks'))
}

t.test('OPS-09: a second lock on the data directory is refused until the first is released', async (t) => {
  const dataDir = makeFolder(t)
  const first = await lockDataDirectory(dataDir)
  await t.rejects(lockDataDirectory(dataDir), DataDirectoryInUse)
  t.equal(sockets(dataDir).length, 1, 'a refused process leaves nothing behind')
  await first.release()
  t.strictSame(sockets(dataDir), [])
  const second = await lockDataDirectory(dataDir)
  await second.release()
})

t.test('only the user of the process can connect to its socket', async (t) => {
  const dataDir = makeFolder(t)
  mkdirSync(join(dataDir, 'locks'), { mode: 0o755 })
  const lock = await lockDataDirectory(dataDir)
  t.teardown(() => lock.release())
  t.equal(statSync(join(dataDir, 'locks')).mode & 0o777, 0o700)
  const [socket = ''] = sockets(dataDir)
  t.equal(statSync(join(dataDir, 'locks', socket)).mode & 0o777, 0o600)
})

t.test(
  'OPS-09: of six concurrent processes exactly one has the lock; after its kill -9 the next one gets it',
  async (t) => {
    const dataDir = makeFolder(t)
    const processes = await Promise.all(Array.from({ length: 6 }, () => startProcess(t, dataDir)))
    for (const { go } of processes) go()
    const said = await Promise.all(processes.map((process) => process.said()))
    t.strictSame(said.toSorted(), [...Array<string>(5).fill('DataDirectoryInUse'), 'holds'])

    const holding = processes[said.indexOf('holds')]
    if (!holding) throw new Error('no process has the lock')
    const holder = await findHolder(dataDir)
    if (!holder) throw new Error('no lock holder was found')
    t.strictSame(await sendCommand(holder, 'who', ['a', 'ü']), ['who', 'a', 'ü', String(holding.child.pid)])
    await t.rejects(lockDataDirectory(dataDir), DataDirectoryInUse)

    await kill(holding.child)
    t.equal(sockets(dataDir).length, 1, 'a killed process leaves its socket')
    const next = await lockDataDirectory(dataDir)
    t.equal(sockets(dataDir).length, 1, 'the stale socket is removed')
    await next.release()
  },
)

t.test('OPS-09: exactly one of several attempts gets the lock, in any order of their steps', async (t) => {
  const holders: number[] = []
  for (let round = 0; round < 20; round++) {
    const dataDir = makeFolder(t)
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockDataDirectory(dataDir)))
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    holders.push(locks.length)
    await Promise.all(locks.map((lock) => lock.release()))
  }
  t.strictSame(holders, Array<number>(20).fill(1))
})

t.test('a stopped process keeps the lock, and others are told that it does not respond', async (t) => {
  const dataDir = makeFolder(t)
  mkdirSync(join(dataDir, 'locks'))
  const frozen = createServer(() => undefined).listen(join(dataDir, 'locks', 'frozen.sock'))
  t.teardown(() => frozen.close())
  await once(frozen, 'listening')
  await t.rejects(lockDataDirectory(dataDir, { patienceMs: 50 }), {
    name: 'DataDirectoryInUse',
    message: /does not respond/,
  })
  t.ok(existsSync(join(dataDir, 'locks', 'frozen.sock')))
})

t.test('leftovers of dead processes are removed, and nothing else', async (t) => {
  const dataDir = makeFolder(t)
  mkdirSync(join(dataDir, 'locks'))
  writeFileSync(join(dataDir, 'locks', 'dead.sock'), '')
  writeFileSync(join(dataDir, 'locks', 'unseen.new'), '')
  writeFileSync(join(dataDir, 'locks', 'README'), '')
  const lock = await lockDataDirectory(dataDir)
  t.teardown(() => lock.release())
  t.equal(sockets(dataDir).length, 2)
  t.ok(existsSync(join(dataDir, 'locks', 'README')))
})

t.test('a DATA_DIR that is too long for a socket is refused, with the number of excess bytes', async (t) => {
  const dataDir = join(makeFolder(t), 'x'.repeat(100))
  await t.rejects(lockDataDirectory(dataDir), /DATA_DIR is \d+ bytes too long/)
})

t.test('operator commands', async (t) => {
  const dataDir = makeFolder(t)
  t.equal(await findHolder(dataDir), null)
  const lock = await lockDataDirectory(dataDir)
  const holder = await findHolder(dataDir)
  if (!holder) throw new Error('no lock holder was found')
  await t.rejects(sendCommand(holder, 'early', []), /still starting/)

  lock.onCommand((name, args) => {
    if (name === 'fail') return Promise.reject(new Error('it does not work'))
    return Promise.resolve([`${name}: ${args.join(' ')}`])
  })
  t.strictSame(await sendCommand(holder, 'user:create', ['a@example.org']), ['user:create: a@example.org'])
  await t.rejects(sendCommand(holder, 'fail', []), { message: 'it does not work' })
  await t.rejects(sendCommand(holder, 'long', ['x'.repeat(70_000)]), /longer than/)

  await lock.release()
  t.equal(await findHolder(dataDir), null)
})
