import { execFileSync } from 'node:child_process'
import { getPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { putPoolBehindRequests } from '../../src/platform/thread-priority.js'

const onLinux = process.platform === 'linux' ? false : 'only Linux has priorities per thread'

t.test('PWD-08: hashing threads have a lower priority than the main thread', { skip: onLinux }, async (t) => {
  const own = getPriority()
  const threads = await putPoolBehindRequests()
  t.ok(threads.length >= 2, `${threads.length} threads were found`)
  t.notOk(threads.includes(process.pid))
  for (const thread of threads) t.equal(getPriority(thread), 5)
  t.equal(getPriority(process.pid), own, 'the main thread is unchanged')
})

const sizes: [string, Record<string, string>, RegExp][] = [
  ['one more than concurrent hashes', { HASHING_CONCURRENCY: '1' }, /^2$/],
  ['however many they are', { HASHING_CONCURRENCY: '16' }, /^17$/],
  ['enough for the default', {}, /^[2-5]$/],
  ['enough for the default, if the setting is empty', { HASHING_CONCURRENCY: '' }, /^[2-5]$/],
  ['the size set by the operator', { HASHING_CONCURRENCY: '16', UV_THREADPOOL_SIZE: '3' }, /^3$/],
]

t.test('PWD-08: the size of the pool is set before its first use, so that nothing else waits for a hash', async (t) => {
  const preload = fileURLToPath(new URL('../../dist/size-thread-pool.cjs', import.meta.url))
  for (const [name, settings, expected] of sizes) {
    const args = ['--require', preload, '--print', 'process.env.UV_THREADPOOL_SIZE']
    const printed = execFileSync(process.execPath, args, { env: settings, cwd: import.meta.dirname, encoding: 'utf8' })
    t.match(printed.trim(), expected, name)
  }
})
