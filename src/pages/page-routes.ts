import { z } from 'zod'

const hidden = { schema: { hide: true } }

/** The options of a page for anyone. */
export const forAnyone = { ...hidden, config: { access: 'public' as const } }

/** The same for a signed-in user; others are led to the sign-in. */
export const forUsers = { ...hidden, config: { access: { token: 'feed' as const } } }

/** The same where the session must hold by the database at this moment, as in the API. */
export const forUsersLive = { ...hidden, config: { access: { token: 'live' as const } } }

/** As for a change of the address in the API: anyone who finds a signed-in device must not be able to take over the account. */
export const forUsersRecent = {
  ...hidden,
  config: { access: { token: 'live' as const, stepUp: {} } },
}

/** The same where factors change: a recovery code suffices, so that a user who has lost the only passkey can replace it. */
export const forUsersChangingFactors = {
  ...hidden,
  config: { access: { token: 'live' as const, stepUp: { acceptsRecoveryCode: true } } },
}

/** The same where the password changes, which users without a factor confirm by the current one. */
export const forUsersChangingPassword = {
  ...hidden,
  config: { access: { token: 'live' as const, stepUp: { spares: 'users_with_only_a_password' as const } } },
}

/** The same for the deletion of the account, which users with a password confirm by it. */
export const forUsersDeleting = {
  ...hidden,
  config: { access: { token: 'live' as const, stepUp: { spares: 'users_with_password' as const } } },
}

/** For a signed-in user whose access token may be out of date, because it is about to be replaced. */
export const forUsersStale = { ...hidden, config: { access: { token: 'live' as const, acceptsStale: true } } }

/** What pages read of their query. Others may stand there, such as those that analytics add to links. */
export const pageQuery = z.object({
  /** Where to go after the sign-in. */
  return_to: z.string().optional(),
  /** `login` asks for another sign-in (OpenID Connect Core, section 3.1.2.1). */
  prompt: z.string().optional(),
  /** The address to sign in with, as a client of the OpenID provider knows it. */
  login_hint: z.string().max(254).optional(),
  /** Why the session ended. */
  ended: z.string().optional(),
  /** What has just been done. */
  done: z.string().optional(),
  /** What became of a sign-in at another provider, and its id. */
  social: z.string().optional(),
  provider: z.string().optional(),
  cursor: z.string().optional(),
})
