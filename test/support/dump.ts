import type { Database } from '../../src/platform/database/database.js'

/** Every row of every table as JSON, by the table's name: the content of a stolen database. */
export async function dumpTables(database: Database): Promise<Record<string, string[]>> {
  const rows = await database.transaction(async (tx) => {
    await tx.$executeRaw`CREATE TEMPORARY TABLE dump (name text, content text) ON COMMIT DROP`
    await tx.$executeRaw`
      DO $$
      DECLARE name text;
      BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
        LOOP
          EXECUTE format('INSERT INTO dump SELECT %L, row_to_json(r)::text FROM %I AS r', name, name);
        END LOOP;
      END $$`
    return tx.$queryRaw<{ name: string; content: string }[]>`SELECT name, content FROM dump`
  })
  const tables: Record<string, string[]> = {}
  for (const { name, content } of rows) (tables[name] ??= []).push(content)
  return tables
}
