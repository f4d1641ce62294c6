// The packages that npm ci installs: their supported versions of Node, their number, and the ones that are replaced.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { satisfies } from 'semver'
import t from 'tap'
import { z } from 'zod'
import packageJson from '../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))

const packageSchema = z.object({
  link: z.boolean().optional(),
  resolved: z.string().optional(),
  hasInstallScript: z.boolean().optional(),
  // Built for one platform, and not installed on others.
  os: z.array(z.string()).optional(),
  // Old packages have an array, which npm ignores.
  engines: z.union([z.object({ node: z.string().optional() }), z.array(z.string())]).optional(),
})
const lockSchema = z.object({ packages: z.record(z.string(), packageSchema) })

/** The packages of a lockfile, by folder. */
function packagesOf(lockfile: string) {
  const { packages } = lockSchema.parse(readJson(lockfile))
  return Object.entries(packages).filter(([folder]) => folder.includes('node_modules/'))
}

for (const lockfile of [
  'package-lock.json',
  'postman/package-lock.json',
  'scripts/mutate/package-lock.json',
  'bench/package-lock.json',
  'test/browser/oidc-client-ts/package-lock.json',
  'test/flows/foreign-verifiers/package-lock.json',
  'test/flows/mcp-sdk/package-lock.json',
  'test/relying-parties/auth-core/package-lock.json',
  'test/relying-parties/express-openid-connect/package-lock.json',
  'test/relying-parties/passport-openidconnect/package-lock.json',
]) {
  t.test(`${lockfile} supports all versions of Node that the README lists`, async (t) => {
    for (const version of ['20.19.0', '22.13.0', '24.0.0']) {
      const excluding = packagesOf(lockfile).filter(([, { engines }]) => {
        const range = Array.isArray(engines) ? undefined : engines?.node
        return range !== undefined && !satisfies(version, range)
      })
      t.strictSame(excluding, [], version)
    }
  })

  t.test(`${lockfile} names no registry`, async (t) => {
    const named = packagesOf(lockfile).filter(([, { resolved, link }]) => resolved !== undefined && !link)
    t.strictSame(named, [])
  })
}

// Most are those of tap, of the linter and of Prisma's command line.
t.test('npm ci installs at most 600 packages', async (t) => {
  const anywhere = packagesOf('package-lock.json').filter(([, { os }]) => os === undefined)
  t.ok(anywhere.length <= 600, String(anywhere.length))
})

t.test('no package needs its install script, which npm 10 runs and npm 11 leaves out', async (t) => {
  const withScripts = packagesOf('package-lock.json')
    .filter(([, { hasInstallScript, os }]) => hasInstallScript === true && os === undefined)
    .map(([folder]) => folder.replace(/^.*node_modules\//, ''))
  t.strictSame(
    [...new Set(withScripts)].toSorted(),
    Object.entries(packageJson.allowScripts)
      .filter(([, isAllowed]) => !isAllowed)
      .map(([name]) => name)
      .toSorted(),
    'each has been looked at: it is denied, and the project works without it',
  )
  t.notOk(Object.values<boolean>(packageJson.allowScripts).includes(true))
})

t.test('a stand-in is installed wherever its package is required', async (t) => {
  const folders = readdirSync(join(root, 'scripts/stand-ins'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  for (const { name: folder } of folders) {
    const path = `scripts/stand-ins/${folder}`
    const { name } = z.object({ name: z.string() }).parse(readJson(`${path}/package.json`))
    t.match(packageJson.devDependencies, { [name]: `file:${path}` })
    const installed = packagesOf('package-lock.json').filter(([place]) => place.endsWith(`node_modules/${name}`))
    t.strictSame(
      installed.map(([place, { resolved }]) => ({ place, resolved })),
      [{ place: `node_modules/${name}`, resolved: path }],
    )
  }
})
