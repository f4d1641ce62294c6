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
] as const

export type EndReason = (typeof endReasons)[number]
