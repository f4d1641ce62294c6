// The library of the OpenID provider is loaded only where it is used, and used only by what it exports.

import { readdirSync, readFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const refuse = `export async function resolve(specifier, context, next) {
  if (specifier.startsWith('oidc-provider')) throw new Error('The library is loaded.')
  return next(specifier, context)
}`

t.test('OAUTH=off loads nothing of it, and has none of its routes', async (t) => {
  register(`data:text/javascript,${encodeURIComponent(refuse)}`)
  const { startApp } = await import('../../support/app.js')
  const { api } = await startApp(t)
  for (const path of ['/oauth/authorize', '/oauth/userinfo', '/oauth/logout', '/consent/x']) {
    t.match(await api.call(path), { status: 404 }, path)
  }
  t.match(await api.call('/.well-known/openid-configuration'), { body: { response_types_supported: [] } })
  await t.rejects(startApp(t, { settings: { OAUTH: 'on' } }), { message: 'The library is loaded.' })
})

t.test('nothing reaches into it, and no grant of it is replaced', async (t) => {
  const folder = join(root, 'src')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name))
  t.ok(names.length > 100, 'the sources are found')
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8')
    if (/oidc-provider\/|registerGrantType/.test(text)) t.fail(name)
  }
})
