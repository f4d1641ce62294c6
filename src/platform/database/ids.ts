import { Prisma } from '../../generated/prisma/client.js'

/**
 * A UUIDv7 (RFC 9562, section 5.7) that the database makes, another one for each row: for statements that insert as many
 * rows as they find.
 */
export const newId = Prisma.sql`encode(
  set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1),
  'hex')::uuid`
