import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const entry = fileURLToPath(new URL('../../src/sdk/client/client.ts', import.meta.url))

export interface ClientBundle {
  code: string
  /** The modules that it loads in addition. */
  imports: string[]
}

/** The client SDK as a page loads it: one module, minified. */
export async function bundleClient(): Promise<ClientBundle> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    // As part of a page's code: the library format keeps white space.
    build: { write: false, modulePreload: false, rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' } },
  })
  const [chunk, ...others] = [built].flat().flatMap((bundle) => ('output' in bundle ? bundle.output : []))
  if (chunk?.type !== 'chunk' || others.length > 0) throw new Error('The client is not one module.')
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] }
}
