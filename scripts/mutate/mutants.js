import { readFileSync } from 'node:fs'
import { Instrumenter } from '@stryker-mutator/instrumenter'

const silent = () => undefined
const logger = { debug: silent, info: silent, isDebugEnabled: () => false }

/**
 * A fault that is inserted into a source.
 *
 * @typedef {object} Mutant
 * @property {string} id what switches it on
 * @property {string} file
 * @property {number} line
 * @property {string} lineText the original line of the source
 * @property {string} original
 * @property {string} replacement
 */

/**
 * Inserts all mutants into each file, switched off: one compilation is sufficient for all of them, and a run selects
 * one by its id.
 *
 * @param {string[]} files
 * @returns {Promise<{ mutants: Mutant[], instrumented: Map<string, string> }>}
 */
export async function createMutants(files) {
  const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
  const inputs = [...sources].map(([name, content]) => ({ name, content, mutate: true }))
  const options = { plugins: null, excludedMutations: [], ignorers: [] }
  const { files: outputs, mutants } = await new Instrumenter(logger).instrument(inputs, options)
  return {
    mutants: mutants.map((mutant) => describe(mutant, sources.get(mutant.fileName).split('\n'))),
    instrumented: new Map(outputs.map(({ name, content }) => [name, content])),
  }
}

function describe({ id, fileName, replacement, location: { start, end } }, lines) {
  return {
    id,
    file: fileName,
    line: start.line + 1,
    lineText: lines[start.line].trim(),
    original: inOneLine(textBetween(lines, start, end)),
    replacement: inOneLine(replacement),
  }
}

function textBetween(lines, start, end) {
  if (start.line === end.line) return lines[start.line].slice(start.column, end.column)
  const between = lines.slice(start.line + 1, end.line)
  return [lines[start.line].slice(start.column), ...between, lines[end.line].slice(0, end.column)].join('\n')
}

function inOneLine(code) {
  return code.replaceAll(/\s+/g, ' ')
}
