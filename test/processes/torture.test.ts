// The torture kit against Sallyport, as `npm run torture` runs it: the promises of README.md hold with killed
// processes, lost answers, and thefts in every order.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { needsPostgres } from '../support/database.js'

const kit = fileURLToPath(new URL('../../bench/torture/torture.ts', import.meta.url))

// It waits for many grace periods, and the machine may be busy.
t.setTimeout(900_000)

t.test(
  'REF-03, REF-08: no user is logged out, and every theft is detected (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const chosen = ['--target', 'sallyport,sallyport-keyless', '--rounds', '10', '--depth', '2']
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), kit, ...chosen],
      { env: { PATH: process.env.PATH, DATABASE_URL: process.env.TEST_DATABASE_URL } },
    )
    t.equal(stderr, '')
    t.notMatch(stdout, /not measured|NEVER DETECTED/)
    t.match(stdout, /^honest users logged out +0 of \d{2,} +\d+ of \d{2,}$/m)
    t.match(stdout, /^thefts never detected +0 of \d{2,} +0 of \d{2,}$/m)
    t.match(stdout, /^how long a copy of a used token is accepted +not at all +\d\.\d to \d\.\d s$/m)
  },
)
