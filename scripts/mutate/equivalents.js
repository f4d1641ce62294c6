import { readFileSync } from 'node:fs'
import { URL } from 'node:url'

/**
 * The mutants that no test can tell from the original, with a reason each. They are found by the text of their line and
 * not by its number, so that they outlive a move.
 *
 * @typedef {{ line: string, original: string, replacement: string, reason: string }} Equivalent
 * @type {Record<string, Equivalent[]>}
 */
const equivalents = JSON.parse(readFileSync(new URL('equivalents.json', import.meta.url), 'utf8'))

/** @param {import('./mutants.js').Mutant} mutant */
export function isEquivalent({ file, ...mutant }) {
  return (equivalents[file] ?? []).some((known) => names(known, mutant))
}

/**
 * Those of the list that are not there any more: their line has changed, so it has to be looked at again.
 *
 * @param {string[]} files
 * @param {import('./mutants.js').Mutant[]} mutants
 */
export function outdatedEquivalents(files, mutants) {
  return files.flatMap((file) => {
    const ofFile = mutants.filter((mutant) => mutant.file === file)
    const outdated = (equivalents[file] ?? []).filter((known) => !ofFile.some((mutant) => names(known, mutant)))
    return outdated.map(({ line, replacement }) => `${file}: ${line} → ${replacement}`)
  })
}

function names(known, mutant) {
  return (
    known.line === mutant.lineText && known.original === mutant.original && known.replacement === mutant.replacement
  )
}
