// The examples in deploy/ match the program: its settings, its start, its routes.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import packageJson from '../package.json' with { type: 'json' }
import { readConfig } from '../src/config.js'
import { generateSecretKey } from '../src/platform/crypto/secret-keys.js'
import { settingsSchema } from '../src/settings/settings.js'
import { createFolder } from './support/process.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const start = packageJson.scripts.start
const textsSchema = z.record(z.string(), z.string())
const secrets = { SECRET_KEY: generateSecretKey(), DATABASE_URL: 'postgres://sallyport:secret@postgres/sallyport' }

/** Expects existing settings, with which production starts once the secrets are filled in. */
function expectSettings(test: Pick<typeof t, 'strictSame'>, environment: Record<string, string>) {
  const names = Object.keys(environment)
  test.strictSame(
    names.filter((name) => !Object.hasOwn(settingsSchema.shape, name)),
    [],
  )
  test.strictSame(readConfig({ ...environment, ...secrets }).warnings, [])
}

t.test('the container and the service start as npm start does', async (t) => {
  const dockerfile = read('deploy/Dockerfile')
  const command = z.array(z.string()).parse(JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? ''))
  t.equal(command.join(' '), start)
  t.match(read('deploy/sallyport.service'), `ExecStart=/usr/bin/${start}\n`)
  for (const [, path = ''] of dockerfile.matchAll(/^COPY (?!--from)(.*) \.\//gm)) {
    for (const file of path.split(' ')) t.ok(existsSync(join(root, file)), file)
  }
})

t.test('the command starts the same as npm start, wherever npm has linked it', async (t) => {
  const folder = createFolder(t)
  // A fake Node that only prints its arguments.
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "node $*"\n', { mode: 0o755 })
  symlinkSync(join(root, 'bin/sallyport'), join(folder, 'absolute'))
  symlinkSync('absolute', join(folder, 'relative'))
  const run = (...args: string[]) =>
    execFileSync(join(folder, 'relative'), args, {
      cwd: folder,
      env: { PATH: `${folder}:${process.env.PATH ?? ''}` },
      encoding: 'utf8',
    })
  const expected = start.replace('./dist/', join(root, 'dist/')).replace(' dist/', ` ${join(root, 'dist/')}`)
  t.equal(run('start'), `${expected}\n`)
  t.equal(run('ip:list'), `node ${join(root, 'dist/operate.js')} ip:list\n`)
  t.equal(run(), `node ${join(root, 'dist/operate.js')}\n`)
})

t.test('the Compose file uses existing settings, and trusts only the proxy', async (t) => {
  const composeSchema = z.object({
    'x-sallyport': z.object({ environment: textsSchema }),
    services: z.record(
      z.string(),
      z.object({
        networks: z.unknown(),
        image: z.string().optional(),
        environment: textsSchema.optional(),
        ports: z.array(z.string()).default([]),
      }),
    ),
  })
  const compose = composeSchema.parse(parse(read('deploy/compose.yaml'), { merge: true }))
  const { environment } = compose['x-sallyport']
  const filledIn = new Map(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+:-?\??(.*?)\}/g, '$1')]),
  )
  expectSettings(t, Object.fromEntries(filledIn))
  t.match(compose.services.caddy?.networks, { front: { ipv4_address: environment.TRUST_PROXY } })
  t.strictSame(compose.services['sallyport-1']?.environment, compose.services['sallyport-2']?.environment)

  // On 80 Caddy redirects to https. Everything else that is published to others has to be https.
  const published = Object.values(compose.services).flatMap(({ ports }) => ports)
  const readable = published.filter((port) => !port.startsWith('127.0.0.1:') && !['80:80', '443:443'].includes(port))
  t.strictSame(readable, [], 'plain http for this machine alone')
  t.ok(published.includes(`127.0.0.1:${new URL(filledIn.get('PUBLIC_URL') ?? '').port}:8080`))
})

t.test('the Kubernetes example uses existing settings, and allows enough time for shutdown', async (t) => {
  const documents = parseAllDocuments(read('deploy/kubernetes/sallyport.yaml')).map((document) => {
    t.strictSame(document.errors, [])
    return z.looseObject({ kind: z.string() }).parse(document.toJS())
  })
  const find = (kind: string) => documents.find((document) => document.kind === kind)
  const { data } = z.object({ data: textsSchema }).parse(find('ConfigMap'))
  expectSettings(t, data)
  t.match(find('Deployment'), {
    spec: {
      template: {
        spec: {
          terminationGracePeriodSeconds: 25,
          containers: [{ env: [{ name: 'SECRET_KEY' }, { name: 'DATABASE_URL' }], ports: [{ containerPort: 3000 }] }],
        },
      },
    },
  })
  const { port, trustProxy } = readConfig({ ...data, ...secrets }).server
  t.equal(port, 3000)
  t.strictSame(
    trustProxy.filter((address) => address.includes('/')),
    [],
    'addresses, and no range that other pods are in',
  )
  t.match(find('NetworkPolicy'), {
    spec: {
      ingress: [{ from: [{ namespaceSelector: { matchLabels: Object }, podSelector: { matchLabels: Object } }] }],
    },
  })
})
