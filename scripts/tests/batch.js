// Several test files in one process, in turn: runner.js starts it with their names and compiled paths in TEST_BATCH.

import { runFiles } from './file-tap.js'

await runFiles(JSON.parse(process.env.TEST_BATCH))
