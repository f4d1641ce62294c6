import type { Queries } from '../../platform/database/database.js'

export async function readDatabaseTime(client: Queries): Promise<Date> {
  const [row] = await client.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`
  if (row === undefined) throw new Error('The database returned no time.')
  return row.now
}
