// npm test: compiles the tests and what they test once, then runs each test file in a process of its own. Names of files
// as arguments run these alone.

import { readdirSync } from 'node:fs'
import { runTests } from './runner.js'

const named = process.argv.slice(2)
await runTests(named.length > 0 ? named : allTests())

function allTests() {
  return readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .sort()
}
