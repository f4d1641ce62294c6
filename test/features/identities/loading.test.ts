// openid-client and the presets are loaded only where PROVIDERS is set, and the library is used in one file.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findFreePort } from '../../support/free-port.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const refuse = `export async function resolve(specifier, context, next) {
  if (specifier.startsWith('openid-client') || specifier.includes('/presets/')) throw new Error('It is loaded.')
  return next(specifier, context)
}`

t.test('without PROVIDERS, neither openid-client nor the presets are loaded', async (t) => {
  register(`data:text/javascript,${encodeURIComponent(refuse)}`)
  const { startApp } = await import('../../support/app.js')
  const { app, api } = await startApp(t)
  await api.signUp()
  t.strictSame((await app.server.inject('/v1/auth/providers')).statusCode, 200)
  const path = join(t.testdir({}), 'providers.json')
  const issuer = `http://localhost:${await findFreePort()}`
  writeFileSync(path, JSON.stringify({ providers: [{ id: 'a', kind: 'oidc', issuer, client_id: 'a' }] }))
  await t.rejects(startApp(t, { settings: { PROVIDERS: path } }), { message: 'It is loaded.' })
})

t.test('openid-client is imported by one file', async (t) => {
  const folder = join(root, 'src')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name))
  const users = names.filter((name) => readFileSync(join(folder, name), 'utf8').includes(`from 'openid-client'`))
  t.strictSame(users, ['features/identities/providers/code-flow.ts'])
})
