import { z } from 'zod'
import { endReasons, type AnyEndReason } from './end-reason.js'
import { modes, type Mode } from './mode.js'

/** A session, as listed for its user. Times are ISO 8601, in UTC. */
export interface PresentedSession {
  id: string
  /** Whether it is the session of the request. */
  current: boolean
  mode: Mode
  device_name: string | null
  user_agent: string | null
  ip: string | null
  created_at: string
  last_used_at: string
  expires_at: string
  /** Of /v1/me/identities; only for sessions that were opened by a sign-in at another provider. */
  identity_id?: string | undefined
  /** Only for ended sessions, like `reason`. */
  ended_at?: string | undefined
  reason?: AnyEndReason | undefined
}

/** For the documentation. */
export const exampleSession = {
  id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  current: true,
  mode: 'json',
  device_name: 'Work laptop',
  user_agent: 'curl/8.14.1',
  ip: '203.0.113.7',
  created_at: '2026-01-01T00:00:00.000Z',
  last_used_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-04-01T00:00:00.000Z',
}

export const sessionSchema = z
  .object({
    id: z.uuid(),
    current: z.boolean(),
    mode: z.enum(modes),
    device_name: z.string().nullable(),
    user_agent: z.string().nullable(),
    ip: z.string().nullable(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    identity_id: z
      .uuid()
      .optional()
      .describe('The linked account that opened it (`listIdentities`); absent for every other way in.'),
    ended_at: z.iso.datetime().optional(),
    reason: z
      .string()
      .optional()
      .describe(`Why it ended: ${endReasons.join(', ')}. Later versions may add others.`),
  })
  .meta({
    id: 'Session',
    description: 'A session, active or ended.',
    examples: [exampleSession],
  }) satisfies z.ZodType<PresentedSession>
