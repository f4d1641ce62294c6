import { spawnSync } from 'node:child_process'
import t from 'tap'
import { parseCount } from '../../bench/arguments.js'

const run = (program: string, args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', program, ...args], { encoding: 'utf8' })
const soak = (...args: string[]) => run('bench/soak/soak.ts', args)
const abuse = (...args: string[]) => run('bench/abuse/abuse.ts', args)
const upgrade = (...args: string[]) => run('bench/upgrade/upgrade.ts', args)

t.test('a program of bench/ prints its usage, and does not start', async (t) => {
  t.match(soak('--help'), { status: 0, stdout: /^Usage: npm run bench:soak -- /, stderr: '' })
  t.match(soak('--minutes', '0'), { status: 2, stdout: '', stderr: /^0 is not a number from 1 to 9999\.\nUsage: / })
  t.match(upgrade(), { status: 2, stdout: '', stderr: /^Name the old version: --from or --folder\.\nUsage: / })
  t.match(abuse('theft'), {
    status: 2,
    stdout: '',
    stderr: /^There is no theft: choose from waits, owner, passwords\.\nUsage: /,
  })
  t.match(soak('--hours', '1'), { status: 2, stdout: '', stderr: /^Unknown option '--hours'.*\nUsage: / })
})

t.test('a count is a whole number from 1 on', async (t) => {
  t.equal(parseCount('1'), 1)
  t.equal(parseCount('9999'), 9999)
  for (const text of ['0', '-1', '1.5', '10000', '1e3', '', ' 1', 'ten']) t.throws(() => parseCount(text), text)
  t.equal(parseCount('10000', 10_000), 10_000)
})
