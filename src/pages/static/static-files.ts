import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { etagOf } from '../../platform/http/etag.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { prepareBody, type SendPrepared } from '../../platform/http/prepared-body.js'
import { Problem } from '../../platform/problem.js'
import type { Theme } from './theme.js'

/** The scripts of the pages. Only passkeys need theirs. */
const scripts = [
  'show-password.js',
  'take-token.js',
  'update-inbox.js',
  'recovery-codes.js',
  'passkey-signals.js',
] as const

/** The scripts that the build bundles. */
const bundled = ['passkey.js'] as const

// The same distance from src/ and from dist/.
const bundles = new URL('../../../dist/pages/assets/', import.meta.url)

export type StaticName = 'theme.css' | 'logo' | (typeof scripts)[number] | (typeof bundled)[number]

export interface StaticFiles {
  /** The path of a file, which changes with its content. */
  pathOf(name: StaticName): string
  /** Serves them below /assets. */
  mount(scope: AppInstance): void
}

/** The files that pages load: the style sheet, the logo and the scripts. */
export async function createStaticFiles({ css, logo }: Theme): Promise<StaticFiles> {
  const senders = new Map<string, SendPrepared>()
  const paths = new Map<string, string>()
  function add(name: StaticName, type: string, body: Buffer): void {
    // Their tags tell whether they have changed, and their addresses fetch a new one at once.
    senders.set(name, prepareBody({ type, cacheControl: 'public, max-age=3600', make: () => body }))
    paths.set(name, `/assets/${name}?v=${etagOf(body).slice(1, 9)}`)
  }

  add('theme.css', 'text/css; charset=utf-8', Buffer.from(css))
  add('logo', logo.type, logo.body)
  for (const name of scripts) {
    add(name, 'text/javascript; charset=utf-8', await readFile(new URL(`../assets/${name}`, import.meta.url)))
  }

  for (const name of bundled) add(name, 'text/javascript; charset=utf-8', await readBundle(name))

  return {
    pathOf: (name) => paths.get(name) ?? '',

    mount(scope) {
      const options = { schema: { hide: true }, config: { access: 'public' as const } }
      scope.get<{ Params: { name: string } }>('/assets/:name', options, (request, reply) => {
        const send = senders.get(request.params.name)
        if (!send) throw new Problem('not_found')
        return send(request, reply)
      })
    },
  }
}

/** Empty where nothing was built yet: then the pages offer no passkeys. */
async function readBundle(name: string): Promise<Buffer> {
  const file = new URL(name, bundles)
  return existsSync(file) ? readFile(file) : Buffer.alloc(0)
}
