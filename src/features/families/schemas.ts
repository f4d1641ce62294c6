import { z } from 'zod'
import { exampleSession, sessionSchema, type PresentedSession } from '../../wire/session.js'
import { text } from '../../platform/http/text.js'
import { attemptKeySchema } from './attempt.js'
import type { Session } from './sessions.js'

export const deviceNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Work laptop'] })

/** Only mode `json` sends its refresh token here. Which one it is, the handler judges: a wrong one is a 401, not a 422. */
export const refreshBodySchema = z
  .strictObject({ refresh_token: z.string().optional() })
  .optional()
  .meta({ examples: [{ refresh_token: 'spr_…' }] })

export const attemptHeadersSchema = z.looseObject({
  'idempotency-key': attemptKeySchema.optional().meta({
    description: 'Made before the first try and repeated with each retry: a lost answer can then be had again.',
    examples: ['b1d0e2a4-6f0c-4d7e-8a55-3c9e1f2b7d60'],
  }),
})

export const sessionParamsSchema = z.object({
  id: z.string().meta({ examples: ['0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12'] }),
})

export const renameBodySchema = z
  .strictObject({ device_name: deviceNameSchema })
  .meta({ examples: [{ device_name: 'Work laptop' }] })

export const sessionsQuerySchema = z.strictObject({
  ended: z.enum(['true', 'false']).optional().meta({ description: '`true` lists the sessions that ended, and why.' }),
})

export const sessionListSchema = z
  .object({ sessions: z.array(sessionSchema) })
  .meta({ id: 'SessionList', examples: [{ sessions: [exampleSession] }] })

/** A session on the wire. */
export function presentSession({ family, ended }: Session, currentId: string): PresentedSession {
  return {
    id: family.id,
    current: family.id === currentId,
    mode: family.mode,
    device_name: family.deviceName,
    user_agent: family.userAgent,
    ip: family.ip,
    created_at: family.createdAt.toISOString(),
    last_used_at: family.lastUsedAt.toISOString(),
    expires_at: family.expiresAt.toISOString(),
    ...(ended && { ended_at: ended.at.toISOString(), reason: ended.reason }),
  }
}
