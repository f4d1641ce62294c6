// Translates src/, test/, bench/, scripts/ and the imported parts of examples/ into JavaScript once, under .compiled/,
// so that test files do not have to do it in their own process. Types are checked only by `npm run typecheck`.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL, URL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fileTap = new URL('file-tap.js', import.meta.url).href

/**
 * Compiles everything and returns a function for the compiled path of a source.
 *
 * @param {{ folder?: string, replaced?: Map<string, string> }} options `replaced`: by their paths from the root, what is
 *   compiled in place of some sources
 */
export async function compileTests({ folder = '.compiled', replaced = new Map() } = {}) {
  const outdir = join(root, folder)
  const read = (path) => replaced.get(relative(root, path)) ?? readFileSync(path, 'utf8')
  const sources = new Set(['src', 'test', 'bench', 'scripts', 'examples/spa'].flatMap(sourcesIn))
  const { outputFiles } = await build({
    entryPoints: [...sources],
    outdir,
    outbase: root,
    absWorkingDir: root,
    bundle: true,
    plugins: [keepInPlace(sources, read)],
    define: { 'import.meta.url': '__sourceUrl', 'import.meta.dirname': '__sourceFolder' },
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    treeShaking: false,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // Stack traces show the lines of the sources.
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  })
  replaceOutput(outdir, outputFiles)
  return (file) => join(outdir, relative(root, resolve(file)).replace(/\.tsx?$/, '.js'))
}

/** Changes only files that differ, because another run may be reading the others. */
function replaceOutput(outdir, files) {
  const current = new Set(files.map(({ path }) => path))
  const previous = existsSync(outdir) ? readdirSync(outdir, { recursive: true, withFileTypes: true }) : []
  for (const entry of previous) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !current.has(path)) rmSync(path)
  }
  for (const { path, contents } of files) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
  }
}

function sourcesIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => join(root, folder, name))
}

/**
 * Each module is compiled separately, and resolves files and uncompiled modules from the location of its source. Test
 * files get `t` from file-tap.js, because several may run in one process.
 */
function keepInPlace(sources, read) {
  return {
    name: 'keep-in-place',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
        if (kind === 'entry-point') return undefined
        const target = resolve(resolveDir, path)
        const isCompiled = ['.ts', '.tsx'].some((ending) => sources.has(target.replace(/\.js$/, ending)))
        return { path: isCompiled ? path : pathToFileURL(target).href, external: true }
      })
      onResolve({ filter: /^tap$/ }, ({ path, importer }) => ({
        path: importer.endsWith('.test.ts') ? fileTap : path,
        external: true,
      }))
      onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true }))
      onLoad({ filter: /\.tsx?$/ }, ({ path }) => ({
        contents: `${ownPlace(path)} ${read(path)}`,
        loader: path.endsWith('x') ? 'tsx' : 'ts',
      }))
    },
  }
}

/** On the first line, so that line numbers do not change. */
function ownPlace(path) {
  const url = JSON.stringify(pathToFileURL(path).href)
  return `const __sourceUrl = ${url}, __sourceFolder = ${JSON.stringify(dirname(path))};`
}
