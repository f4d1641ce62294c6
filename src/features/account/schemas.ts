import { z } from 'zod'
import { appSchema, exampleApp, type PresentedApp } from '../../wire/app.js'
import { exampleSession, sessionSchema, type PresentedSession } from '../../wire/session.js'
import { exampleUser, userSchema } from '../../wire/token-reply.js'
import { nameSchema, presentUser, type User } from '../accounts/accounts.js'
import { localeMember } from '../flows/flows.js'
import { deviceNameSchema, firstPartyModeOf, type Session } from '../families/families.js'
import { passwordSchema } from '../passwords/passwords.js'
import type { OwnApp } from './own-apps.js'

export const patchMeSchema = z
  .strictObject({
    name: nameSchema.nullable().optional(),
    locale: localeMember
      .nullable()
      .optional()
      .meta({ description: 'The language of mails (BCP 47); null lets each request decide.' }),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'Must have "name" or "locale"')
  .meta({ examples: [{ name: 'Ada King, Countess of Lovelace', locale: 'en' }] })

/** The user, with what only the user is told. */
export const meSchema = userSchema
  .extend({
    locale: z.string().nullable().meta({ description: 'The language of mails (BCP 47), if the user has chosen one.' }),
    pending_email: z.string().nullable().meta({ description: 'The new address, until it is confirmed.' }),
  })
  .meta({
    id: 'Me',
    description: 'The current user.',
    examples: [{ ...exampleUser, locale: null, pending_email: null }],
  })

export function presentMe(user: User, pendingEmail: string | null): z.output<typeof meSchema> {
  return { ...presentUser(user), locale: user.locale, pending_email: pendingEmail }
}

export const deleteMeSchema = z
  .strictObject({
    password: passwordSchema.optional().meta({ description: 'Required of users who have one.' }),
  })
  .meta({ examples: [{ password: 'copper lantern drifts over seven hills' }] })

/** In cookie modes it is in its cookie. */
const shownRefreshToken = z
  .string()
  .optional()
  .meta({ description: 'In mode json: the refresh token of this session, which is replaced.' })

export const removePasswordSchema = z
  .strictObject({ refresh_token: shownRefreshToken })
  .nullish()
  .meta({ examples: [{}] })

export const changePasswordSchema = z
  .strictObject({
    current_password: passwordSchema.optional().meta({ description: 'Required of users who have a password.' }),
    new_password: passwordSchema,
    refresh_token: shownRefreshToken,
  })
  .meta({
    examples: [
      {
        current_password: 'copper lantern drifts over seven hills',
        new_password: 'violet otters juggle paper lanterns',
      },
    ],
  })

export const sessionParamsSchema = z.object({
  id: z.string().meta({ examples: ['0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12'] }),
})

export const renameBodySchema = z
  .strictObject({ device_name: deviceNameSchema })
  .meta({ examples: [{ device_name: 'Work laptop' }] })

export const sessionsQuerySchema = z.strictObject({
  ended: z.enum(['true', 'false']).optional().meta({ description: '`true` lists ended sessions with their reasons.' }),
  cursor: z.string().max(200).optional().meta({ description: 'The `next_cursor` of the page before.' }),
})

export const sessionListSchema = z
  .object({
    sessions: z.array(sessionSchema),
    next_cursor: z.string().nullable().meta({ description: 'Asks for the next page; null on the last.' }),
  })
  .meta({ id: 'SessionList', examples: [{ sessions: [exampleSession], next_cursor: null }] })

/** A session in responses. */
export function presentSession({ family, ended }: Session, currentId: string): PresentedSession {
  return {
    id: family.id,
    current: family.id === currentId,
    mode: firstPartyModeOf(family),
    device_name: family.deviceName,
    user_agent: family.userAgent,
    ip: family.ip,
    created_at: family.createdAt.toISOString(),
    last_used_at: family.lastUsedAt.toISOString(),
    expires_at: family.expiresAt.toISOString(),
    ...(family.identityId !== null && { identity_id: family.identityId }),
    ...(ended && { ended_at: ended.at.toISOString(), reason: ended.reason }),
  }
}

export const appParamsSchema = z.object({
  client_id: z.string().meta({ examples: ['orders-app'] }),
})

export const appListSchema = z
  .object({ apps: z.array(appSchema) })
  .meta({ id: 'AppList', examples: [{ apps: [exampleApp] }] })

/** An application in responses. */
export function presentApp(app: OwnApp): PresentedApp {
  return {
    client_id: app.clientId,
    name: app.name,
    scopes: app.scopes,
    first_used_at: app.firstUsedAt.toISOString(),
    last_used_at: app.lastUsedAt.toISOString(),
  }
}
