// Copies what the pages load and no compiler produces into dist/pages: the style sheet, the logo and the scripts.

import { cpSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

for (const name of ['theme.css', 'logo.svg', 'assets']) {
  cpSync(join(root, 'src/pages', name), join(root, 'dist/pages', name), { recursive: true })
}
