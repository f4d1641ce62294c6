import { z } from 'zod'

export { revocationListSchema } from '../../wire/revocation.js'

export const cursorQuerySchema = z.strictObject({
  cursor: z
    .string()
    .optional()
    .meta({ description: 'The cursor of an earlier response. Only newer entries are returned.' }),
})

/** A client of server-sent events sends the header by itself when it reconnects. */
export const lastEventHeadersSchema = z.looseObject({
  'last-event-id': z
    .string()
    .optional()
    .meta({ description: 'The id of the last received event.', examples: ['7Yw0b3tVq1mZc2Xk.41'] }),
})
