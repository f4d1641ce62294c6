/** Why a session ended. The values are API: clients branch on them. */
export const endReasons = [
  'logout',
  'logout_all',
  'revoked_by_user',
  'revoked_by_admin',
  'password_changed',
  'password_reset',
  'reuse_detected',
  'idle',
  'expired',
  'limit',
  'banned',
  'deleted',
  'factor_changed',
  'not_me',
  'email_change_undone',
  'identity_unlinked',
] as const

/** A reason that this version knows, and may write. */
export type EndReason = (typeof endReasons)[number]

/**
 * A reason in a response: reasons are only ever added, and a newer version may have written one that is unknown here.
 */
export type AnyEndReason = EndReason | (string & {})
