import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../install-packages.js'

const folder = fileURLToPath(new URL('../../postman', import.meta.url))

/** A package of postman/package.json. They are installed at first use. */
export function loadPackage<Exports>(name: string): Exports {
  installPackages(folder)
  return createRequire(`${folder}/package.json`)(name) as Exports
}
