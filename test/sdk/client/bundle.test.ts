// The size of the client for a page or an app.

import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { bundleClient } from '../../support/client-bundle.js'

const LIMIT_BYTES = 6.25 * 1024

t.test('as one module, minified and gzipped, it is smaller than 6.25 KiB and loads nothing else', async (t) => {
  const { code, imports } = await bundleClient()
  t.strictSame(imports, [])
  const { length } = gzipSync(code)
  t.ok(length < LIMIT_BYTES, `${length} bytes`)
  t.comment(`${length} bytes gzipped`)
})

t.test('it can be imported without any API of a browser or of Node', async (t) => {
  const program = `
    const absent = ['navigator', 'BroadcastChannel', 'crypto', 'fetch', 'Request', 'Headers', 'URL', 'TextDecoder']
    for (const name of absent) delete globalThis[name]
    const { createClient } = await import('@sallyport/client')
    const client = createClient({
      baseUrl: 'https://auth.example.com', mode: 'json', fetch: () => {}, getRandomValues: (bytes) => bytes,
    })
    process.stdout.write(client.state.status)`
  // Without tap's hooks in NODE_OPTIONS, which need the missing APIs.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', program]
  const said = execFileSync('env', command, { encoding: 'utf8' })
  t.equal(said, 'unknown')
})
