// Fills packages/client/dist and packages/verifier/dist with the SDKs: each entry as one module, including what it
// needs of src/wire, and one file of types. Packages that are not dependencies of the verifier are included as well,
// with their licences.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')

const packages = {
  client: {
    entries: {
      index: 'sdk/client/client',
      mail: 'sdk/client/mail',
      factors: 'sdk/client/factors',
      passkeys: 'sdk/client/passkeys',
      social: 'sdk/client/social',
    },
    external: [],
    license: { fileName: 'third-party-licenses.md' },
  },
  verifier: {
    entries: { index: 'sdk/verifier/verifier', fastify: 'sdk/verifier/fastify-plugin' },
    external: ['jose', 'fastify'],
    license: { fileName: 'third-party-licenses.md' },
  },
}

for (const [name, { entries, external, license }] of Object.entries(packages)) {
  const folder = join(root, 'packages', name)
  const inputs = (place, extension) =>
    Object.fromEntries(Object.entries(entries).map(([entry, path]) => [entry, join(root, place, path + extension)]))

  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: join(folder, 'dist'),
      emptyOutDir: true,
      target: 'es2023',
      // Not minified, so that it can be debugged: pages minify it themselves.
      minify: false,
      lib: { entry: inputs('src', '.ts'), formats: ['es'] },
      rolldownOptions: { external, output: { chunkFileNames: 'shared.js' } },
      license,
    },
  })

  const types = await rollup({ input: inputs('dist', '.d.ts'), external, plugins: [dts()] })
  await types.write({ dir: join(folder, 'dist'), chunkFileNames: 'shared.d.ts' })
  await types.close()

  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}
