import type { Acr } from '../../src/wire/acr.js'
import type { SignedUp } from './api.js'
import type { TestApp } from './app.js'

/** How a user is known and signed in. */
export interface Authenticated {
  factors?: ('passkey' | 'totp')[]
  hasPassword?: boolean
  amr?: string[]
  acr?: Acr
  agoSeconds?: number
}

/**
 * A new user in mode json, with factors and an authentication that were not shown here, and an access token that says so:
 * the database has what a sign-in would have written.
 */
export async function signUpAs(
  { api, database, clock }: Pick<TestApp, 'api' | 'database' | 'clock'>,
  { factors = [], hasPassword = true, amr = ['pwd'], acr = 'aal1', agoSeconds = 0 }: Authenticated = {},
): Promise<SignedUp> {
  const user = await api.signUp()
  const authenticatedAt = new Date(clock.now().getTime() - agoSeconds * 1000)
  await database.query(async (client) => {
    const data = { factors, ...(!hasPassword && { passwordHash: null }) }
    await client.user.update({ where: { id: user.userId }, data })
    await client.refreshTokenFamily.update({ where: { id: user.sessionId }, data: { amr, acr, authenticatedAt } })
  })
  const { body } = await api.refresh(user.refreshToken)
  return { ...user, accessToken: body.access_token ?? '', refreshToken: body.refresh_token ?? '' }
}
