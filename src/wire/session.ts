import { z } from 'zod'
import { endReasons, type AnyEndReason } from './end-reason.js'
import { modes, type Mode } from './mode.js'

/** A session, as its user sees it in the list. Times are ISO 8601, in UTC. */
export interface PresentedSession {
  id: string
  /** Whether it is the one that asks. */
  current: boolean
  mode: Mode
  device_name: string | null
  user_agent: string | null
  ip: string | null
  created_at: string
  last_used_at: string
  expires_at: string
  /** Of ended sessions alone, as is the reason. */
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
    ended_at: z.iso.datetime().optional(),
    reason: z
      .string()
      .optional()
      .describe(`Why it ended: ${endReasons.join(', ')}. Later versions may add others.`),
  })
  .meta({
    id: 'Session',
    description: 'One device that is signed in, or was.',
    examples: [exampleSession],
  }) satisfies z.ZodType<PresentedSession>
