// npm run mutate: inserts faults into the files with rules, one at a time, and prints those that no test detects.
//
//   npm run mutate [-- [--jobs 1] [src/features/families/rotation.ts | src/wire/claims.ts:20-30 …]]
//
// The mutants are those of StrykerJS, of which only the instrumenter is used; test/README.md explains why.

import { existsSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath, URL } from 'node:url'
import { parseArgs } from 'node:util'
import pLimit from 'p-limit'
import { installPackages } from '../install-packages.js'
import { compileTests } from '../tests/compile.js'
import { isEquivalent, outdatedEquivalents } from './equivalents.js'
import { ruleFiles } from './rule-files.js'
import { measure, passesWith } from './test-runs.js'

/** The required score of each file, as a share of the detectable mutants. */
const LEAST_PERCENT = 95

const { values, positionals } = parseArgs({ allowPositionals: true, options: { jobs: { type: 'string' } } })
const selections = (positionals.length > 0 ? positionals : Object.keys(ruleFiles)).map(parseSelection)
const files = [...new Set(selections.map(({ file }) => file))]
const limit = pLimit(Number(values.jobs ?? availableParallelism()))

requireKnown(files)
installPackages(fileURLToPath(new URL('.', import.meta.url)))
const { createMutants } = await import('./mutants.js')
const { mutants: all, instrumented } = await createMutants(files)
const mutants = all.filter(isSelected)
// One folder per run, because several may run at the same time.
const folder = `.mutated/${process.pid}`
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const compiled = await compileTests({ folder, replaced: instrumented })
const suites = await measureSuites()
const survivors = await findSurvivors()
report()

/** A file, or some of its lines. */
function parseSelection(text) {
  const [, file, from, to = from] = /^(.*?)(?::(\d+)(?:-(\d+))?)?$/.exec(text)
  return { file, from: Number(from ?? 1), to: Number(to ?? Infinity) }
}

function isSelected({ file, line }) {
  return selections.some((selection) => selection.file === file && selection.from <= line && line <= selection.to)
}

function requireKnown(files) {
  const unknown = files.filter((file) => !ruleFiles[file])
  const missing = [...Object.keys(ruleFiles), ...Object.values(ruleFiles).flat()].filter((file) => !existsSync(file))
  if (unknown.length + missing.length === 0) return
  for (const file of unknown) console.error(`scripts/mutate/rule-files.js names no tests for ${file}.`)
  for (const file of missing) console.error(`scripts/mutate/rule-files.js names ${file}, which is not there.`)
  process.exit(1)
}

/** The test files of the selected rules, fastest first. */
async function measureSuites() {
  const names = [...new Set(files.flatMap((file) => ruleFiles[file]))]
  const suites = await Promise.all(
    names.map((name) => limit(async () => ({ name, file: compiled(name), ...(await measure(compiled(name))) }))),
  )
  const failing = suites.filter(({ passed }) => !passed)
  if (failing.length === 0) return suites.sort((a, b) => a.ms - b.ms)
  console.error(`These fail without any mutant: ${failing.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}

async function findSurvivors() {
  const tried = mutants.filter((mutant) => !isEquivalent(mutant))
  const noticed = await Promise.all(tried.map((mutant) => limit(() => isNoticed(mutant))))
  return tried.filter((_mutant, index) => !noticed[index])
}

/** Prints a survivor immediately, because a whole run takes long. */
async function isNoticed(mutant) {
  const suitable = suites.filter(({ name, hits }) => ruleFiles[mutant.file].includes(name) && hits[mutant.id])
  for (const suite of suitable) {
    if (!(await passesWith(mutant, suite))) return true
  }
  console.log(`${mutant.file}:${mutant.line}\n  - ${mutant.original}\n  + ${mutant.replacement}`)
  return false
}

function report() {
  const scores = files.map(scoreOf)
  console.table(Object.fromEntries(scores.map(({ file, ...score }) => [file, score])))
  const outdated = outdatedEquivalents(files, all)
  for (const each of outdated) console.error(`scripts/mutate/equivalents.json names what is not there: ${each}`)
  if (outdated.length > 0 || scores.some(({ percent }) => percent < LEAST_PERCENT)) process.exitCode = 1
}

function scoreOf(file) {
  const ofFile = mutants.filter((mutant) => mutant.file === file)
  const equivalent = ofFile.filter(isEquivalent).length
  const survived = survivors.filter((mutant) => mutant.file === file).length
  const noticeable = ofFile.length - equivalent
  const noticed = noticeable - survived
  return { file, noticed, survived, equivalent, percent: Math.floor((1000 * noticed) / noticeable) / 10 }
}
