import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  findCycles,
  findEnvironmentReads,
  findForbiddenImports,
  findLongFiles,
  findOddFeatures,
  findStrayQueries,
  findUnused,
  parseSource,
  resolveJsx,
  type Source,
} from './support/architecture.js'

/** In dependency order: a feature knows those before it, and none after it. */
const features = [
  'audit',
  'address-rules',
  'limits',
  'mail',
  'tokens',
  'revocation',
  'clients',
  'backchannel-logout',
  'accounts',
  'families',
  'browser',
  'access',
  'gateway',
  'events',
  'flows',
  'passwords',
  'factors',
  'passkeys',
  'identities',
  'sign-in',
  'account',
  'oauth',
  'administration',
  'operations',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const models = [...readFileSync(join(root, 'prisma/schema.prisma'), 'utf8').matchAll(/^model (\w)(\w*)/gm)].map(
  ([, first = '', rest = '']) => first.toLowerCase() + rest,
)
const sources = readSources(join(root, 'src'))

function readSources(folder: string): Source[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => ({ path: relative(folder, file).split(sep).join('/'), file }))
    .filter(({ path }) => !path.startsWith('generated/'))
    .map(({ path, file }) => parseSource(path, readFileSync(file, 'utf8')))
  return resolveJsx(found)
}

/** A made-up source tree, in which each rule has to report its violation. */
function tree(files: Record<string, string>): Source[] {
  return Object.entries(files).map(([path, text]) => parseSource(path, text))
}

t.test(
  'architecture: pages → features → platform → wire, and each feature depends only on those before it',
  async (t) => {
    t.ok(sources.length > 20, 'the sources are found')
    t.strictSame(findForbiddenImports(sources, features), [])
  },
)

t.test('architecture: every feature is in the list and has its main file', async (t) => {
  t.strictSame(findOddFeatures(sources, features), [])
})

t.test('architecture: only stores query', async (t) => {
  t.ok(models.includes('refreshTokenFamily'), 'the models are found')
  t.strictSame(findStrayQueries(sources, models), [])
})

t.test('architecture: only config.ts reads the environment', async (t) => {
  t.strictSame(findEnvironmentReads(sources), [])
})

t.test('architecture: no cycles, no unused files, no files that are too long', async (t) => {
  t.strictSame(findCycles(sources), [])
  t.strictSame(findUnused(sources), [])
  t.strictSame(findLongFiles(sources), [])
})

t.test('the dependency rule covers every form of import', async (t) => {
  const forbidden = [
    ['wire/claims.ts', '../platform/clock.js'],
    ['wire/claims.ts', 'fastify'],
    ['wire/claims.ts', 'node:crypto'],
    ['platform/http/server.ts', '../../features/audit/audit.js'],
    ['platform/http/server.ts', '../../config.js'],
    ['platform/http/server.ts', '../../settings/settings.js'],
    ['platform/http/server.ts', '../../generated/prisma/client.js'],
    ['features/families/families.ts', '../passwords/passwords.js'],
    ['features/families/families.ts', '../audit/store.js'],
    ['features/families/families.ts', '../unlisted/unlisted.js'],
    ['features/families/families.ts', '../../config.js'],
    ['features/families/families.ts', '../../app.js'],
    ['features/families/families.ts', '../../generated/prisma/client.js'],
    ['features/families/deeper/store.ts', '../../../generated/prisma/client.js'],
    ['features/families/families.ts', '../../../package.json'],
    ['features/unlisted/unlisted.ts', '../audit/audit.js'],
    ['features/unlisted/unlisted.ts', './store.js'],
    ['config.ts', './app.js'],
    ['banner.ts', './features/audit/audit.js'],
    ['settings/settings.ts', '../features/audit/audit.js'],
    ['features/account/account.ts', '../../commands/command.js'],
    ['features/account/account.ts', '../../pages/pages.js'],
    ['platform/http/server.ts', '../../pages/pages.js'],
    ['wire/claims.ts', '../pages/pages.js'],
    ['pages/account/account.tsx', '../../features/account/routes.js'],
    ['pages/account/account.tsx', '../../features/account/store.js'],
    ['pages/account/account.tsx', '../../config.js'],
    ['pages/account/account.tsx', '../../app.js'],
    ['pages/account/account.tsx', '../../sdk/client/client.js'],
    ['pages/pages.ts', '../generated/prisma/client.js'],
    ['config.ts', './commands/commands.js'],
    ['commands/users.ts', '../generated/prisma/client.js'],
    ['app.ts', './generated/prisma/client.js'],
    ['helpers/anything.ts', '../wire/claims.js'],
    ['sdk/verifier/verifier.ts', '../../platform/clock.js'],
    ['sdk/verifier/verifier.ts', '../../features/tokens/tokens.js'],
    ['sdk/verifier/verifier.ts', '../../generated/prisma/client.js'],
    ['sdk/verifier/verifier.ts', '../../config.js'],
    ['sdk/verifier/verifier.ts', '../other/other.js'],
    ['sdk/verifier/verifier.ts', '../loose.js'],
    ['sdk/verifier/verifier.ts', 'node:crypto'],
    ['sdk/verifier/verifier.ts', 'fastify'],
    ['sdk/verifier/middleware.ts', 'fastify'],
    ['sdk/verifier/fastify-plugin.ts', 'node:http'],
    ['sdk/client/client.ts', 'jose'],
    ['sdk/client/client.ts', 'zod'],
    ['sdk/client/client.ts', '../../wire/token-reply.js'],
    ['sdk/client/client.ts', '../verifier/verifier.js'],
    ['app.ts', './sdk/verifier/verifier.js'],
    ['wire/claims.ts', '../sdk/verifier/verifier.js'],
    ['platform/http/server.ts', '../../sdk/verifier/verifier.js'],
    ['features/families/families.ts', '../../sdk/verifier/verifier.js'],
    ['settings/settings.ts', '../sdk/verifier/verifier.js'],
  ] as const
  for (const [path, specifier] of forbidden) {
    const spellings = [
      `import { a } from '${specifier}'`,
      `import a, { type B } from '${specifier}'`,
      `import * as a from '${specifier}'`,
      `import '${specifier}'`,
      `export { a } from '${specifier}'`,
      `export * from '${specifier}'`,
      `const a = await import('${specifier}')`,
    ]
    for (const text of spellings) {
      t.equal(findForbiddenImports(tree({ [path]: text }), features).length, 1, `${path}: ${text}`)
    }
  }
})

t.test('a type import counts as an import, but types of the database may be used outside the stores', async (t) => {
  const spellings = (specifier: string) => [
    `import type { A } from '${specifier}'`,
    `import { type A, type B } from '${specifier}'`,
    `export type { A } from '${specifier}'`,
    `let a: import('${specifier}').A`,
  ]
  for (const text of spellings('../passwords/passwords.js')) {
    t.strictSame(findForbiddenImports(tree({ 'features/families/families.ts': text }), features), [
      'features/families/families.ts must not import features/passwords/passwords.ts',
    ])
  }
  for (const text of spellings('../../generated/prisma/client.js')) {
    t.strictSame(findForbiddenImports(tree({ 'features/families/families.ts': text }), features), [], text)
  }
  t.equal(
    findForbiddenImports(tree({ 'wire/a.ts': spellings('../generated/prisma/client.js')[0] ?? '' }), []).length,
    1,
  )
})

t.test('the dependency rule allows the intended imports', async (t) => {
  const allowed = {
    'wire/claims.ts': `import { z } from 'zod'; import './problem-codes.js'`,
    'platform/http/server.ts': `import 'fastify'; import '../../wire/claims.js'; import '../clock.js'`,
    'platform/database/postgres.ts': `import { PrismaClient } from '../../generated/prisma/client.js'`,
    'features/families/store.ts': `import { Prisma } from '../../generated/prisma/client.js'`,
    'features/families/families.ts': `import '../audit/audit.js'; import './rotation.js'; import '../../platform/clock.js'`,
    'config.ts': `import './settings/settings.js'; import './platform/crypto/secret.js'`,
    'app.ts': `import './config.js'; import './features/account/account.js'; import './features/account/routes.js'`,
    'commands/users.ts': `import './command.js'; import '../features/account/account.js'; import '../app.js'`,
    'pages/account/account.tsx': `import 'preact'; import '../pages.js'; import '../../features/account/account.js'; import '../../platform/problem.js'`,
    'main.ts': `import './app.js'; import './pages/pages.js'; import './commands/commands.js'`,
    'sdk/verifier/verifier.ts': `import 'jose'; import 'zod'; import 'quick-lru'; import './feed.js'; import '../../wire/claims.js'`,
    'sdk/verifier/fastify-plugin.ts': `import type { FastifyInstance } from 'fastify'`,
    'sdk/client/client.ts': `import './lock.js'; import type { User } from '../../wire/token-reply.js'`,
    'sdk/client/events.ts': `import '../../wire/event-parser.js'`,
  }
  t.strictSame(findForbiddenImports(tree(allowed), features), [])
})

t.test('queries outside a store are reported', async (t) => {
  const queries = [
    'client.user.findMany({})',
    'database.query((client) => client.$queryRaw`SELECT 1`)',
    'tx.$executeRaw`DELETE FROM users`',
    'client.refreshTokenFamily.update({ where: {} })',
    'client.user?.delete({})',
    'client.$transaction([])',
  ]
  for (const text of queries) {
    t.equal(findStrayQueries(tree({ 'features/account/account.ts': text }), models).length, 1, text)
    t.equal(findStrayQueries(tree({ 'app.ts': text }), models).length, 1, text)
    t.strictSame(findStrayQueries(tree({ 'features/accounts/store.ts': text }), models), [])
  }
  const others = `createHash('sha256').update(text); sessions.delete(id); store.create(tx); // client.user.findMany`
  t.strictSame(findStrayQueries(tree({ 'features/account/account.ts': others }), models), [])
})

t.test('reads of the environment are reported in any form', async (t) => {
  const reads = [
    'const port = process.env.PORT',
    `const port = process['env'].PORT`,
    'const { env } = process',
    'const { env: { PORT } } = process',
    `import { env } from 'node:process'`,
  ]
  for (const text of reads) t.equal(findEnvironmentReads(tree({ 'app.ts': text })).length, 1, text)
  t.strictSame(findEnvironmentReads(tree({ 'config.ts': 'process.env.PORT' })), [])
  t.strictSame(findEnvironmentReads(tree({ 'app.ts': 'process.platform; settings.env; // process.env' })), [])
})

t.test('cycles of values and of types are reported', async (t) => {
  const circle = {
    'a.ts': `import './b.js'`,
    'b.ts': `import type { C } from './c.js'`,
    'c.ts': `export * from './b.js'`,
  }
  t.strictSame(findCycles(tree(circle)), ['b.ts → c.ts → b.ts'])
  t.strictSame(findCycles(tree({ 'a.ts': `import './a.js'` })), ['a.ts → a.ts'])
  const diamond = {
    'a.ts': `import './b.js'; import './c.js'`,
    'b.ts': `import './d.js'`,
    'c.ts': `import './d.js'`,
    'd.ts': '',
  }
  t.strictSame(findCycles(tree(diamond)), [])
})

t.test('an import of a file with JSX is one of its source', async (t) => {
  const [page, layout] = resolveJsx(tree({ 'pages/a.ts': `import './b.js'; import './c.js'`, 'pages/b.tsx': '' }))
  t.strictSame(
    page?.imports.map(({ target }) => target),
    ['pages/b.tsx', 'pages/c.ts'],
  )
  t.strictSame(layout?.imports, [])
})

t.test('unused files, long files and unlisted features are reported', async (t) => {
  const files = { 'main.ts': `import './app.js'`, 'operate.ts': '', 'app.ts': '', 'features/audit/old.ts': '' }
  t.strictSame(findUnused(tree(files)), ['features/audit/old.ts is imported by nothing'])
  t.equal(findLongFiles(tree({ 'a.ts': '\n'.repeat(300) + 'x' })).length, 1)
  t.strictSame(findLongFiles(tree({ 'a.ts': 'x\n'.repeat(300) })), [])
  t.strictSame(findOddFeatures(tree({ 'features/audit/old.ts': '', 'features/mails/mails.ts': '' }), features), [
    'features/audit has no audit.ts',
    'features/mails is not in the list of features',
  ])
})
