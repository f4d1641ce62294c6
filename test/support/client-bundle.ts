import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const sourceOf = (entry: string) => fileURLToPath(new URL(`../../src/sdk/client/${entry}.ts`, import.meta.url))

export interface ClientModule {
  /** The name of the entry, or of what several entries share. */
  name: string
  code: string
  /** The modules that it loads in addition. */
  imports: string[]
}

/** The client SDK as a page loads it, minified: one module for each entry, and one for what they share. */
export async function bundleClient(
  entries: ('client' | 'mail' | 'factors' | 'passkeys' | 'social')[] = ['client'],
): Promise<ClientModule[]> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    // As part of a page's code: the library format keeps white space.
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: Object.fromEntries(entries.map((entry) => [entry, sourceOf(entry)])),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js', chunkFileNames: 'shared.js' },
      },
    },
  })
  return [built]
    .flat()
    .flatMap((bundle) => ('output' in bundle ? bundle.output : []))
    .map((chunk) => {
      if (chunk.type !== 'chunk') throw new Error(`${chunk.fileName} is not a module.`)
      return { name: chunk.fileName, code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] }
    })
}
