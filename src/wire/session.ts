import { z } from 'zod'
import { endReasons } from './end-reason.js'
import { modes } from './mode.js'

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
    reason: z.enum(endReasons).optional(),
  })
  .meta({ id: 'Session', description: 'One device that is signed in, or was.' })

/** A session, as its user sees it in the list. */
export type PresentedSession = z.infer<typeof sessionSchema>
