import { posix } from 'node:path'
import ts from 'typescript'

/** One file of src, with its path relative to src, as far as the rules need it. */
export interface Source {
  path: string
  lineCount: number
  imports: Import[]
  syntax: ts.SourceFile
}

interface Import {
  /** A path relative to src, or the name of a package. */
  target: string
  isOurs: boolean
  isTypeOnly: boolean
}

/** The files that may import everything: they assemble the parts, and are imported only by each other. */
const composition = [
  'app.ts',
  'composition.ts',
  'routing.ts',
  'audit-events.ts',
  'feature-settings.ts',
  'main.ts',
  'serve.ts',
  'worker.ts',
  'workers.ts',
  'start.ts',
  'operate.ts',
]
const entries = [
  'main.ts',
  'worker.ts',
  'operate.ts',
  'sdk/client/client.ts',
  'sdk/client/factors.ts',
  'sdk/client/mail.ts',
  'sdk/client/passkeys.ts',
  'sdk/client/social.ts',
  'sdk/verifier/verifier.ts',
  'sdk/verifier/fastify-plugin.ts',
]
const longestFile = 300

export function parseSource(path: string, text: string): Source {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const imports = collect(syntax, (node) => readImport(path, node))
  return { path, lineCount: text.trimEnd().split('\n').length, imports, syntax }
}

/** Points imports of `.js` to the sources with JSX that they are compiled from. */
export function resolveJsx(sources: Source[]): Source[] {
  const paths = new Set(sources.map(({ path }) => path))
  const resolve = (target: string) => (paths.has(`${target}x`) ? `${target}x` : target)
  return sources.map(({ imports, ...source }) => ({
    ...source,
    imports: imports.map((imported) => ({ ...imported, target: resolve(imported.target) })),
  }))
}

/**
 * The SDKs run in other programs, and need only this, and no API of Node; the client needs nothing. Only jose is
 * installed with the verifier: its package contains what it uses of the others.
 */
const sdkPackages: Record<string, string[]> = { verifier: ['jose', 'quick-lru', 'zod'], client: [] }
const wireWithoutPackages = ['wire/event-parser.ts']
const sdkAdapters: Record<string, string> = {
  'sdk/client/passkey-ceremonies.ts': '@simplewebauthn/browser',
  'sdk/verifier/fastify-plugin.ts': 'fastify',
}

/**
 * Checks imports against the dependency rule: features → platform → wire, each feature on those before it in the list;
 * and each SDK on wire and itself only.
 */
export function findForbiddenImports(sources: Source[], features: readonly string[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports
      .filter((imported) => !mayImport(path, imported, features))
      .map(({ target }) => `${path} must not import ${target}`),
  )
}

function mayImport(path: string, { target, isOurs, isTypeOnly }: Import, features: readonly string[]): boolean {
  const from = layerOf(path)
  if (!isOurs) return mayImportPackage(path, target)
  const to = layerOf(target)
  if (to === 'generated') return mayTouchDatabase(path) || (isTypeOnly && ['platform', 'feature'].includes(from))
  switch (from) {
    case 'composition':
      return to !== 'sdk'
    case 'sdk':
      return (
        (to === 'sdk' && folderOf(path) === folderOf(target)) || (to === 'wire' && mayUseWire(path, target, isTypeOnly))
      )
    case 'wire':
      return to === 'wire'
    case 'platform':
      return to === 'wire' || to === 'platform'
    case 'settings':
      return to === 'wire' || to === 'platform' || to === 'settings'
    case 'pages':
      return to === 'wire' || to === 'platform' || to === 'pages' || (to === 'feature' && isMainFile(target))
    case 'feature':
      return to === 'wire' || to === 'platform' || (to === 'feature' && mayUseFeature(path, target, features))
    case 'generated':
    case 'nowhere':
      return false
  }
}

function mayImportPackage(path: string, name: string): boolean {
  const from = layerOf(path)
  if (from === 'wire') return name === 'zod'
  return from !== 'sdk' || (sdkPackages[folderOf(path)] ?? []).includes(name) || sdkAdapters[path] === name
}

/** The schemas depend on zod, which is larger than the client itself: types are sufficient for it. */
function mayUseWire(path: string, target: string, isTypeOnly: boolean): boolean {
  return folderOf(path) !== 'client' || isTypeOnly || wireWithoutPackages.includes(target)
}

function mayUseFeature(path: string, target: string, features: readonly string[]): boolean {
  const [own, other] = [folderOf(path), folderOf(target)]
  if (own === other) return features.includes(own)
  const isBefore = features.slice(0, Math.max(features.indexOf(own), 0)).includes(other)
  return isBefore && isMainFile(target)
}

function isMainFile(path: string): boolean {
  return path === `features/${folderOf(path)}/${folderOf(path)}.ts`
}

function layerOf(path: string) {
  const [folder, ...rest] = path.split('/')
  if (composition.includes(path) || folder === 'commands') return 'composition'
  if (folder === 'wire' || folder === 'platform' || folder === 'generated') return folder
  if (folder === 'pages' && rest.length > 0) return 'pages'
  if (folder === 'features' && rest.length > 1) return 'feature'
  if (folder === 'sdk' && rest.length > 1) return 'sdk'
  return folder === 'settings' || (rest.length === 0 && folder !== '..') ? 'settings' : 'nowhere'
}

/** The feature's name, or the SDK's. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** Only the stores of features and the code that opens the database may query it. */
function mayTouchDatabase(path: string): boolean {
  return /^features\/[^/]+\/([a-z]+-)?store\.ts$/.test(path) || path.startsWith('platform/database/')
}

const rawQueries = /^\$(queryRaw|executeRaw|queryRawUnsafe|executeRawUnsafe|transaction)$/
const modelQueries = /^(find(Unique|First|Many)(OrThrow)?|(create|update)Many(AndReturn)?|deleteMany|upsert)$/
// These are methods of other objects too; on a name of a model they are queries.
const ambiguousQueries = /^(create|update|delete|count|aggregate|groupBy)$/

/** Queries outside the stores. `models` are the Prisma models as the client names them. */
export function findStrayQueries(sources: Source[], models: readonly string[]): string[] {
  return sources
    .filter(({ path }) => !mayTouchDatabase(path))
    .flatMap(({ path, syntax }) =>
      collect(syntax, (node) => {
        if (!ts.isPropertyAccessExpression(node)) return null
        const name = node.name.text
        const owner = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : ''
        const isQuery =
          rawQueries.test(name) || modelQueries.test(name) || (ambiguousQueries.test(name) && models.includes(owner))
        return isQuery ? `${path} queries with ${name}, which belongs in a store` : null
      }),
    )
}

/** Reads of the environment outside config.ts, in any form. */
export function findEnvironmentReads(sources: Source[]): string[] {
  return sources
    .filter(({ path }) => path !== 'config.ts')
    .filter(({ syntax }) => collect(syntax, (node) => readsEnvironment(node) || null).length > 0)
    .map(({ path }) => `${path} reads the environment, which config.ts does`)
}

function readsEnvironment(node: ts.Node): boolean {
  const isProcess = (expression: ts.Node | undefined) => expression?.getText() === 'process'
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env'
  if (ts.isElementAccessExpression(node)) {
    return isProcess(node.expression) && /^.env.$/.test(node.argumentExpression.getText())
  }
  if (ts.isVariableDeclaration(node)) return isProcess(node.initializer) && /\benv\b/.test(node.name.getText())
  return (
    ts.isImportDeclaration(node) && /process'$/.test(node.moduleSpecifier.getText()) && /\benv\b/.test(node.getText())
  )
}

/** Import cycles, including types: to understand one file of a cycle, you have to read all of them. */
export function findCycles(sources: Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const finished = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (trail.includes(path) || finished.has(path)) return
    for (const { target } of byPath.get(path)?.imports ?? []) if (byPath.has(target)) visit(target, [...trail, path])
    finished.add(path)
  }
  for (const { path } of sources) visit(path, [])
  return cycles
}

export function findUnused(sources: Source[]): string[] {
  const used = new Set([...entries, ...sources.flatMap(({ imports }) => imports.map(({ target }) => target))])
  return sources.filter(({ path }) => !used.has(path)).map(({ path }) => `${path} is imported by nothing`)
}

export function findLongFiles(sources: Source[]): string[] {
  return sources
    .filter(({ lineCount }) => lineCount > longestFile)
    .map(({ path, lineCount }) => `${path} has ${lineCount} lines: look for the second concept`)
}

/** Feature folders that are not in the list, or lack their main file. */
export function findOddFeatures(sources: Source[], features: readonly string[]): string[] {
  const paths = sources.map(({ path }) => path)
  const found = new Set(paths.filter((path) => path.startsWith('features/')).map(folderOf))
  return [...found].flatMap((feature) => {
    if (!features.includes(feature)) return [`features/${feature} is not in the list of features`]
    return paths.includes(`features/${feature}/${feature}.ts`) ? [] : [`features/${feature} has no ${feature}.ts`]
  })
}

/** The results of `read` in the tree below a node, without null. */
function collect<T>(root: ts.Node, read: (node: ts.Node) => T | null): T[] {
  const found: T[] = []
  const visit = (node: ts.Node) => {
    const value = read(node)
    if (value !== null) found.push(value)
    ts.forEachChild(node, visit)
  }
  visit(root)
  return found
}

function readImport(path: string, node: ts.Node): Import | null {
  const specifier = specifierOf(node)
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return null
  const isOurs = specifier.text.startsWith('.')
  const target = isOurs ? posix.join(posix.dirname(path), specifier.text).replace(/\.js$/, '.ts') : specifier.text
  return { target, isOurs, isTypeOnly: isTypeOnly(node) }
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0]
  return ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  if (!ts.isImportDeclaration(node)) return false
  const { importClause } = node
  const bindings = importClause?.namedBindings
  const areAllTypes =
    importClause?.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((element) => element.isTypeOnly)
  return importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || areAllTypes
}
