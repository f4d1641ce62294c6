// The size of the client for a page or an app, and of the calls around mails, which not every page has.

import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { bundleClient, type ClientModule } from '../../support/client-bundle.js'

const LIMIT_BYTES = 7.2 * 1024

/** Of both entries together. */
const WITH_MAIL_BYTES = 9.3 * 1024

/** Of the client and the ceremonies of passkeys, @simplewebauthn/browser included. */
const WITH_PASSKEYS_BYTES = 13 * 1024

/** Of the client and signing in with other providers. */
const WITH_SOCIAL_BYTES = 10.3 * 1024

/** Of the client and the calls around factors. */
const WITH_FACTORS_BYTES = 9 * 1024

const sizeOf = (modules: ClientModule[]) => modules.reduce((bytes, { code }) => bytes + gzipSync(code).length, 0)

t.test('as one module, minified and gzipped, it is smaller than 7.2 KiB and loads nothing else', async (t) => {
  const modules = await bundleClient()
  t.match(modules, [{ name: 'client.js', imports: [] }])
  t.equal(modules.length, 1)
  const bytes = sizeOf(modules)
  t.ok(bytes < LIMIT_BYTES, `${bytes} bytes`)
  t.comment(`${bytes} bytes gzipped`)
})

t.test('with the calls around mails it is smaller than 9.3 KiB', async (t) => {
  const modules = await bundleClient(['client', 'mail'])
  t.strictSame(modules.map(({ name }) => name).sort(), ['client.js', 'mail.js', 'shared.js'])
  t.strictSame(new Set(modules.flatMap(({ imports }) => imports)), new Set(['shared.js']))
  const bytes = sizeOf(modules)
  t.ok(bytes < WITH_MAIL_BYTES, `${bytes} bytes`)
  t.comment(`${bytes} bytes gzipped`)
})

t.test('with the calls around factors it is smaller than 9 KiB', async (t) => {
  const modules = await bundleClient(['client', 'factors'])
  t.strictSame(modules.map(({ name }) => name).sort(), ['client.js', 'factors.js', 'shared.js'])
  const bytes = sizeOf(modules)
  t.ok(bytes < WITH_FACTORS_BYTES, `${bytes} bytes`)
  t.comment(`${bytes} bytes gzipped`)
})

t.test('with the ceremonies of passkeys it is smaller than 13 KiB', async (t) => {
  const modules = await bundleClient(['client', 'passkeys'])
  t.strictSame(modules.map(({ name }) => name).sort(), ['client.js', 'passkeys.js', 'shared.js'])
  const bytes = sizeOf(modules)
  t.ok(bytes < WITH_PASSKEYS_BYTES, `${bytes} bytes`)
  t.comment(`${bytes} bytes gzipped`)
})

t.test('with the calls around other providers it is smaller than 10.3 KiB', async (t) => {
  const modules = await bundleClient(['client', 'social'])
  t.strictSame(modules.map(({ name }) => name).sort(), ['client.js', 'shared.js', 'social.js'])
  const bytes = sizeOf(modules)
  t.ok(bytes < WITH_SOCIAL_BYTES, `${bytes} bytes`)
  t.comment(`${bytes} bytes gzipped`)
})

t.test('it can be imported without any API of a browser or of Node', async (t) => {
  const program = `
    const absent = ['navigator', 'BroadcastChannel', 'crypto', 'fetch', 'Request', 'Headers', 'URL', 'TextDecoder']
    for (const name of absent) delete globalThis[name]
    const { createClient } = await import('@sallyport/client')
    const { pendingFlow } = await import('@sallyport/client/mail')
    const { secondStep } = await import('@sallyport/client/factors')
    const { supportsPasskeys } = await import('@sallyport/client/passkeys')
    const { finishProviderSignIn, signInWithProvider } = await import('@sallyport/client/social')
    const client = createClient({
      baseUrl: 'https://auth.example.com', mode: 'json', fetch: () => {}, getRandomValues: (bytes) => bytes,
    })
    const found = [await pendingFlow(client), await secondStep(client), supportsPasskeys(), await finishProviderSignIn(client)]
    const address = await signInWithProvider(client, 'google', { return_to: 'app:/back' })
    process.stdout.write([client.state.status, ...found, address].join(' '))`
  // Without tap's hooks in NODE_OPTIONS, which need the missing APIs.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', program]
  const said = execFileSync('env', command, { encoding: 'utf8' })
  t.match(
    said,
    /^unknown {3}false {2}https:\/\/auth.example.com\/v1\/auth\/social\/google\?mode=json&return_to=app%3A%2Fback&code_challenge=[\w-]{43}$/,
  )
})
