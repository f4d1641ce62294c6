import { readFileSync } from 'node:fs'
import { URL } from 'node:url'

/**
 * The mutants that no test can distinguish from the original, each with a reason. They are identified by the text of
 * their line instead of its number, so that they stay valid when it moves.
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
 * The listed mutants that no longer exist: their line has changed, so they must be reviewed.
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
