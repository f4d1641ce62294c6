const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const flowKinds = [
  'register',
  'verify_email',
  'reset_password',
  'otp',
  'email_change',
  'email_undo',
  'invitation',
  'not_me',
  'mfa',
  'factors_reset',
] as const

export type FlowKind = (typeof flowKinds)[number]

/** The kinds whose mail has a link; the second step of a sign-in has none. */
export type LinkedKind = Exclude<FlowKind, 'mfa'>

/** How long a flow of a kind lives. */
export interface FlowLife {
  /** From the moment at which the mail server accepted its mail. */
  seconds: number
  /** From its creation, whenever the mail was sent: a code that waited out an outage is not dead on arrival. */
  maxSeconds: number
  /** Whether its mail has a code besides the link. */
  hasCode: boolean
}

export interface FlowSettings {
  /** RESET_TTL. */
  resetSeconds: number
  /** EMAIL_UNDO_TTL; 0 offers no undo. */
  undoSeconds: number
  /** FACTOR_RESET_DELAY: how long the user can stop a reset. */
  factorResetSeconds: number
}

/** The lifetimes of accounts by mail (ASVS 5.0, V6.5.5). */
export function livesOf({ resetSeconds, undoSeconds, factorResetSeconds }: FlowSettings): Record<FlowKind, FlowLife> {
  const short = (seconds: number) => ({ seconds, maxSeconds: Math.max(HOUR, seconds), hasCode: true })
  const fixed = (seconds: number, hasCode: boolean) => ({ seconds, maxSeconds: seconds, hasCode })
  return {
    otp: short(10 * MINUTE),
    reset_password: short(resetSeconds),
    register: fixed(DAY, true),
    verify_email: fixed(DAY, true),
    email_change: fixed(DAY, true),
    invitation: fixed(7 * DAY, false),
    email_undo: fixed(undoSeconds, false),
    not_me: fixed(7 * DAY, false),
    mfa: fixed(5 * MINUTE, false),
    // It takes effect once its life is over, which begins when the user was told: without the mail it never does.
    factors_reset: { seconds: factorResetSeconds, maxSeconds: factorResetSeconds + 7 * DAY, hasCode: false },
  }
}
