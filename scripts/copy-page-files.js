// Puts what the pages load and tsc does not produce into dist/pages: the style sheet, the logo and the scripts, of which
// those with packages are bundled, with the licences of these.

import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
const assets = join(root, 'dist/pages/assets')

for (const name of ['theme.css', 'logo.svg', 'assets']) {
  cpSync(join(root, 'src/pages', name), join(root, 'dist/pages', name), { recursive: true })
}

for (const name of readdirSync(join(root, 'src/pages/scripts'))) {
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: assets,
      emptyOutDir: false,
      target: 'es2022',
      lib: { entry: join(root, 'src/pages/scripts', name), formats: ['es'], fileName: () => name },
      license: { fileName: 'third-party-licenses.md' },
    },
  })
}
