import { z } from 'zod'
import { flowReplySchema, type FlowReply } from './flow-reply.js'
import { modes, type Mode } from './mode.js'

/** A user, as returned to the user. */
export interface User {
  id: string
  email: string
  name: string | null
  email_verified: boolean
  roles: string[]
  /** ISO 8601, in UTC. */
  created_at: string
}

/** The response of register, login and refresh (extends RFC 6749, section 5.1). Members may be added, never removed. */
export type TokenReply = {
  access_token?: string | undefined
  token_type: 'Bearer'
  expires_in: number
  expires_at: string
  refresh_token?: string | undefined
  device_token?: string | undefined
  flow?: FlowReply | undefined
  warnings?: string[] | undefined
  refresh_expires_at: string
  session: { id: string; mode: Mode; device_name: string | null }
  user: User
}

export const exampleUser = {
  id: '0199b2c4-7d5b-7b1e-8c44-0d2f6a9e3b57',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  email_verified: false,
  roles: [],
  created_at: '2026-01-01T00:00:00.000Z',
}

export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    email_verified: z.boolean(),
    roles: z.array(z.string()),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'User', description: 'A user.', examples: [exampleUser] }) satisfies z.ZodType<User>

export const exampleTokenReply = {
  access_token: 'eyJ…',
  token_type: 'Bearer',
  expires_in: 600,
  expires_at: '2026-01-01T00:10:00.000Z',
  refresh_token: 'spr_…',
  device_token: 'spd_…',
  refresh_expires_at: '2026-01-31T00:00:00.000Z',
  session: { id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12', mode: 'json', device_name: 'Work laptop' },
  user: exampleUser,
}

export const tokenReplySchema = z
  .object({
    access_token: z.string().optional().meta({ description: 'Absent in mode session, which sends it as a cookie.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds until the access token expires.' }),
    expires_at: z.iso.datetime(),
    refresh_token: z.string().optional().meta({ description: 'Only in mode json; otherwise it is a cookie.' }),
    device_token: z.string().optional().meta({
      description:
        'Returned by register and login in mode json; otherwise it is a cookie. Keep it after logout and send it with the next login.',
    }),
    refresh_expires_at: z.iso.datetime().meta({
      description: 'When the session ends if it is not refreshed. Refreshing does not extend the maximum lifetime.',
    }),
    session: z.object({ id: z.uuid(), mode: z.enum(modes), device_name: z.string().nullable() }),
    user: userSchema,
    // Only by register, where the address is to be confirmed later.
    flow: flowReplySchema.optional(),
    warnings: z.array(z.string()).optional().meta({
      description:
        'After a second factor: `recovery_codes_low` if at most three recovery codes are left. Others may be added.',
    }),
  })
  .meta({
    id: 'TokenReply',
    description: 'Tokens with their session and user.',
    examples: [exampleTokenReply],
  }) satisfies z.ZodType<TokenReply>
