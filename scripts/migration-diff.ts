import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { createEmbeddedPool } from '../src/platform/database/embedded-pool.js'

const prismaFolder = fileURLToPath(new URL('../prisma', import.meta.url))
/** Postgres's one-byte type, which it names "char". */
const CHAR = 18

const migrationsFolder = join(prismaFolder, 'migrations')

export interface MigrationDiff {
  upToDate: boolean
  /** The statements of a new migration that would produce schema.prisma again. */
  sql: string
}

/**
 * Compares the result of the migrations with schema.prisma, using Prisma's own schema engine. Its WebAssembly build
 * runs offline and on the embedded database, whereas `prisma migrate diff` would download a binary. The given database
 * is only connected to; the comparison uses another one in memory.
 */
export async function diffMigrations(database: PGlite): Promise<MigrationDiff> {
  const engine = await startSchemaEngine(database)
  const diff = await engine.diff({
    from: { tag: 'migrations', ...readMigrations() },
    to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: readSchema() }] },
    script: true,
    exitCode: true,
    shadowDatabaseUrl: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  return { upToDate: diff.exitCode === 0, sql: diff.stdout ?? '' }
}

export interface HistoryDiagnosis {
  hasMigrationsTable: boolean
  /** The differences between the migrations and the database's records; null if there are none. */
  history: unknown
  failedMigrationNames: string[]
  editedMigrationNames: string[]
}

/** The status of an embedded database's recorded migrations, as reported by Prisma's own schema engine. */
export async function diagnoseHistory(database: PGlite): Promise<HistoryDiagnosis> {
  const engine = await startSchemaEngine(database)
  return engine.diagnoseMigrationHistory({
    migrationsList: readMigrations(),
    optInToShadowDatabase: false,
    filters: { externalTables: [], externalEnums: [] },
  })
}

function readSchema(): string {
  return readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8')
}

function readMigrations() {
  return {
    baseDir: migrationsFolder,
    lockfile: {
      path: 'migration_lock.toml',
      content: readFileSync(join(migrationsFolder, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: readdirSync(migrationsFolder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .map((name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok', value: readFileSync(join(migrationsFolder, name, 'migration.sql'), 'utf8') },
        },
      })),
  }
}

// TypeScript has types for WebAssembly only in the library for browsers.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, () => void> } }>
}

interface SchemaEngine {
  diff(input: unknown): Promise<{ exitCode: number; stdout: string | null }>
  diagnoseMigrationHistory(input: unknown): Promise<HistoryDiagnosis>
}

async function startSchemaEngine(database: PGlite): Promise<SchemaEngine> {
  bindings ??= loadBindings()
  return (await bindings).SchemaEngine.new(
    { datamodels: [['schema.prisma', readSchema()]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(adapterOf(database)),
  )
}

function adapterOf(database: PGlite): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(database),
    connectToShadowDb: async () => connect(await PGlite.create()),
  }
}

/** Prisma's adapter, with additions for its schema engine: whole scripts, and the type "char" of the catalogs. */
async function connect(database: PGlite): Promise<SqlDriverAdapter> {
  const pool = createEmbeddedPool(database, 60_000)
  const charColumns: number[] = []
  pool.on('connect', (client) => {
    // Before pg parses them: the adapter refuses the type, and the engine expects it by its own name.
    client.connection.prependListener('rowDescription', ({ fields }: { fields: { dataTypeID: number }[] }) => {
      charColumns.length = 0
      fields.forEach((field, column) => {
        if (field.dataTypeID !== CHAR) return
        field.dataTypeID = pg.types.builtins.TEXT
        charColumns.push(column)
      })
    })
  })

  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect()
  const queryRaw = adapter.queryRaw.bind(adapter)
  return Object.assign(adapter, {
    executeScript: async (script: string) => {
      await pool.query(script)
    },
    queryRaw: async (query: SqlQuery) => {
      const result = await queryRaw(query)
      for (const column of charColumns) result.columnTypes[column] = ColumnTypeEnum.Character
      return result
    },
  })
}

// Loaded once: the bindings use the engine that was loaded last, also for earlier instances.
let bindings: ReturnType<typeof loadBindings> | undefined

async function loadBindings() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const bindingsFile = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const wasm = readFileSync(join(dirname(bindingsFile), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start?.()
  return bindings
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { sql } = await diffMigrations(await PGlite.create())
  console.log(sql)
  process.exit()
}
