import { z } from 'zod'
import { attemptKeySchema } from '../families/families.js'

/** Only mode `json` sends its refresh token here. Which one it is, the handler judges: a wrong one is a 401, not a 422. */
export const refreshBodySchema = z
  .strictObject({ refresh_token: z.string().optional() })
  .optional()
  .meta({ examples: [{ refresh_token: 'spr_…' }] })

export const attemptHeadersSchema = z.looseObject({
  'idempotency-key': attemptKeySchema.optional().meta({
    description:
      'Generated before the first attempt and reused for retries: a retry returns the response that was lost.',
    examples: ['b1d0e2a4-6f0c-4d7e-8a55-3c9e1f2b7d60'],
  }),
})
