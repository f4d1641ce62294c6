// Arbitrary requests, generated from the API's own document: no response may be a 5xx, and each has to match the
// document. Run by `npm run fuzz`, on the Postgres of DATABASE_URL or on the embedded database.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { securityHeaders } from '../../src/platform/http/security-headers.js'
import { parseCount, readArguments } from '../arguments.js'
import { startServer, withEmptyDatabase } from '../servers.js'
import { readDocument } from './document.js'
import { printCounts, printFinding } from './report.js'
import { fuzz } from './run.js'
import { createSend } from './sending.js'

const PUBLIC_URL = 'http://localhost:3000'

const MOST = 999_999_999

const { requests, seed, visitors } = readArguments('fuzz -- [--requests 10000] [--seed n] [--visitors 4]', () => {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(1 + (Date.now() % MOST)) },
      visitors: { type: 'string', default: '4' },
    },
  })
  return {
    requests: parseCount(values.requests, MOST),
    seed: parseCount(values.seed, MOST),
    visitors: parseCount(values.visitors),
  }
})

const { DATABASE_URL } = process.env
if (DATABASE_URL) await withEmptyDatabase(DATABASE_URL, (url) => run({ DATABASE_URL: url }))
else await run({})

async function run(settings: Record<string, string>): Promise<void> {
  const { credential, sha256 } = createVerifierCredential()
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-fuzz-'))
  const server = await startServer({
    ...{ DATA_DIR: dataDir, PUBLIC_URL, VERIFIER_KEYS: `fuzz:${sha256}`, RATE_LIMIT: 'off', ...settings },
  })
  const send = createSend(Number(new URL(server.url).port))
  try {
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as object
    const startedAt = performance.now()
    console.log(`${requests} requests with seed ${seed}`)
    const { counts, findings } = await fuzz({
      operations: readDocument(document),
      ...{ send, seed, requests, visitors },
      verifier: { name: 'fuzz', credential },
      expected: { headers: securityHeaders(PUBLIC_URL) },
      onProgress: ({ sent, findings }) => console.log(`${sent} requests, ${findings.length} findings`),
    })
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    console.log(printCounts(counts))
    for (const finding of findings) console.log(`\n${printFinding(finding, { url: server.url, seed, visitors })}`)
    const alive = await fetch(`${server.url}/livez`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (!alive) console.log('\nThe server has exited.')
    console.log(`\n${requests} requests with seed ${seed} in ${seconds} s: ${findings.length} findings.`)
    if (findings.length > 0 || !alive) process.exitCode = 1
  } finally {
    send.close()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
