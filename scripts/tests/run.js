// npm test: compiles the tests and the tested code once, then runs each test file in a separate process, or in one with
// others of its folder.
//
//   node scripts/tests/run.js [--fast | --postgres | --write-order]
//   node scripts/tests/run.js [--postgres] [--together] test/a.test.ts …

import { parseArgs } from 'node:util'
import { requirePostgres } from './postgres.js'
import { runTests } from './runner.js'
import { allTests, fastTests, inBatches, postgresTests, writeLongestFirst } from './selection.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fast: { type: 'boolean' },
    postgres: { type: 'boolean' },
    together: { type: 'boolean' },
    'write-order': { type: 'boolean' },
  },
})

if (values.postgres) await requirePostgres()
const times = await runTests(positionals.length > 0 ? named(positionals) : inBatches(chosenTests()))
if (values['write-order']) writeLongestFirst(times)

/** Each in a process of its own, unless a batch is to be repeated. */
function named(files) {
  return values.together ? [files] : files.map((file) => [file])
}

function chosenTests() {
  if (values.fast) return fastTests()
  return values.postgres ? postgresTests() : allTests()
}
