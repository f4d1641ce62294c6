import { z } from 'zod'

export { revocationListSchema } from '../../wire/revocation.js'

export const cursorQuerySchema = z.strictObject({
  cursor: z
    .string()
    .optional()
    .meta({ description: 'The cursor of an earlier response. Only newer entries are returned.' }),
})

/** The header is what a client of server-sent events repeats by itself. */
export const lastEventHeadersSchema = z.looseObject({
  'last-event-id': z
    .string()
    .optional()
    .meta({ description: 'The id of the last received event.', examples: ['7Yw0b3tVq1mZc2Xk.41'] }),
})
