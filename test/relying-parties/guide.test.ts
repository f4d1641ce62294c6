// docs/relying-parties.md shows the files that the tests in this folder run.

import { readFileSync } from 'node:fs'
import t from 'tap'

const guide = readFileSync(new URL('../../docs/relying-parties.md', import.meta.url), 'utf8')

for (const file of [
  'express-openid-connect/app.js',
  'auth-core/app.js',
  'passport-openidconnect/app.js',
  'authlib/app.py',
  'mod-auth-openidc/openidc.conf',
  'oidc-agent/add-account.sh',
]) {
  t.test(`the guide shows ${file} as it is`, async (t) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    t.ok(guide.includes(`\n${text}\`\`\`\n`))
  })
}
