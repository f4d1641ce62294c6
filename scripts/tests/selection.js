// Which test files run where; test/README.md explains why. A file that no rule here mentions runs everywhere.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath, URL } from 'node:url'

const orderFile = fileURLToPath(new URL('longest-first.json', import.meta.url))

/** Batches that take this long are started before all others. */
const LONG_MS = 5_000

/**
 * Files that use a database without testing it: their results for HTTP, tokens, cookies and texts are the same on any.
 */
const sameOnAnyDatabase = [
  'test/attacks/address-rotation.test.ts',
  'test/attacks/banned-users.test.ts',
  'test/attacks/cookie-tampering.test.ts',
  'test/attacks/cookie-theft.test.ts',
  'test/attacks/cross-site-requests.test.ts',
  'test/attacks/forged-access-tokens.test.ts',
  'test/attacks/forged-forms.test.ts',
  'test/attacks/hijacked-session.test.ts',
  'test/attacks/malformed-bodies.test.ts',
  'test/attacks/mass-assignment.test.ts',
  'test/attacks/misplaced-tokens.test.ts',
  'test/attacks/open-redirects.test.ts',
  'test/attacks/password-confusion.test.ts',
  'test/attacks/path-variants.test.ts',
  'test/attacks/refused-refreshes.test.ts',
  'test/attacks/revoked-access-tokens.test.ts',
  'test/attacks/stolen-signing-keys.test.ts',
  'test/attacks/terminal-escapes.test.ts',
  'test/attacks/unlisted-members.test.ts',
  'test/attacks/withdrawn-keys.test.ts',
  'test/commands.test.ts',
  'test/flows/access-tokens.test.ts',
  'test/flows/cookie-prefix.test.ts',
  'test/flows/events.test.ts',
  'test/flows/foreign-verifiers.test.ts',
  'test/flows/known-devices.test.ts',
  'test/flows/login-flood.test.ts',
  'test/flows/mcp-sdk.test.ts',
  'test/flows/oauth.test.ts',
  'test/flows/public-url-path.test.ts',
  'test/flows/session-mode.test.ts',
  'test/mail-settings.test.ts',
  'test/openapi.test.ts',
  'test/processes/argon2-build.test.ts',
]

/**
 * Files that wait for real time, try hundreds of random cases, or load a compiler, a linter, large dictionaries or packages of
 * their own.
 */
const slow = [
  'test/architecture.test.ts',
  'test/attacks/any-request.test.ts',
  'test/attacks/sql-injection.test.ts',
  'test/attacks/stolen-client-secrets.test.ts',
  'test/features/families/living-rule.test.ts',
  'test/features/passwords/strength.test.ts',
  'test/flows/foreign-verifiers.test.ts',
  'test/flows/mcp-sdk.test.ts',
  'test/platform/database/guarded.test.ts',
  'test/platform/database/migrations.test.ts',
  'test/platform/http/any-request.test.ts',
  'test/platform/http/framing.test.ts',
  'test/platform/http/graceful-shutdown.test.ts',
  'test/sdk/client/bundle.test.ts',
  'test/sdk/verifier/end-to-end.test.ts',
  'test/sdk/verifier/feed.test.ts',
]

/** Files that test or change what a whole process has. */
const alone = [
  'test/features/identities/loading.test.ts',
  'test/platform/database/embedded.test.ts',
  'test/platform/private-files.test.ts',
]

const MOST_IN_BATCH = 10

const startsProcess =
  /node:child_process'|support\/(process|phone-owner|example-page|page|chromium|relying-application)\.js'/
const opensDatabase = /support\/(app|database|following|process|proxied-app|relying-party)\.js'/
const usesHttpAlone = /^test\/(browser|conformance|examples|pages|relying-parties|sdk)\//
const isOfPostgres = /\bneedsPostgres\b/
const isOfEmbedded = /\bneedsEmbedded\b/

export function allTests() {
  const files = readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map((name) => `test/${name}`)
  const unknown = [...sameOnAnyDatabase, ...slow, ...alone].filter((file) => !existsSync(file))
  if (unknown.length > 0) throw new Error(`scripts/tests/selection.js names what is not there: ${unknown.join(', ')}`)
  return files.sort()
}

/** Files that need neither a process, nor a browser, nor real waiting. */
export function fastTests() {
  return allTests().filter((file) => !slow.includes(file) && !startsProcess.test(readFileSync(file, 'utf8')))
}

/** Files whose result may differ on a Postgres server with concurrent connections. */
export function postgresTests() {
  return allTests().filter((file) => {
    const text = readFileSync(file, 'utf8')
    if (isOfPostgres.test(text)) return true
    const isElsewhere = isOfEmbedded.test(text) || usesHttpAlone.test(file) || sameOnAnyDatabase.includes(file)
    return opensDatabase.test(text) && !isElsewhere
  })
}

/**
 * Divides files into those that run in one process, in turn: they import the application and open a database once for
 * about ten files of a folder. The longest are first.
 */
export function inBatches(files) {
  const folders = [...new Set(files.map(folderOf))]
  const shared = folders.flatMap((folder) =>
    inEqualParts(files.filter((file) => folderOf(file) === folder && sharesProcess(file))),
  )
  return longestFirst([...shared, ...files.filter((file) => !sharesProcess(file)).map((file) => [file])])
}

/** The folder directly in `test/` that a file belongs to, or `test` itself. */
function folderOf(file) {
  return dirname(file).split('/').slice(0, 2).join('/')
}

function sharesProcess(file) {
  return !alone.includes(file) && !startsProcess.test(readFileSync(file, 'utf8'))
}

function inEqualParts(files) {
  const parts = Math.ceil(files.length / MOST_IN_BATCH)
  return Array.from({ length: parts }, (_, part) => files.filter((__, index) => index % parts === part))
}

function longestFirst(batches) {
  const long = JSON.parse(readFileSync(orderFile, 'utf8'))
  const place = ([file]) => (long.includes(file) ? long.indexOf(file) : long.length)
  return batches.toSorted((a, b) => place(a) - place(b))
}

/** Keeps the measured order. */
export function writeLongestFirst(times) {
  const long = times.filter(({ ms }) => ms >= LONG_MS).sort((a, b) => b.ms - a.ms)
  writeFileSync(
    orderFile,
    `${JSON.stringify(
      long.map(({ file }) => file),
      null,
      2,
    )}\n`,
  )
}
