import type { ProblemTable } from './problem-table.js'

/** Problems with a sign-in, a registration or a change of password. */
export const signInCodes = {
  invalid_credentials: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    advice: 'Check both and try again. The response is the same for an address that is not registered.',
  },
  mfa_required: {
    status: 401,
    title: 'A second factor is required',
    advice:
      'Send "mfa_token" to /v1/auth/mfa before "expires_at", with one of "methods". If "enroll" is present, the user has no ' +
      'second factor yet: enroll one at /v1/auth/mfa/enroll first.',
  },
  account_banned: {
    status: 403,
    title: 'The account is banned',
    advice: 'Contact the operator of this service.',
  },
  registration_closed: {
    status: 403,
    title: 'Registration is closed',
    advice: 'Ask the operator of this service for an account.',
  },
  email_taken: {
    status: 409,
    title: 'The e-mail address is already registered',
    advice: 'Sign in, or register with another address.',
  },
  last_factor: {
    status: 409,
    title: 'The last second factor cannot be removed',
    advice: 'Second factors are required here: add another one first.',
  },
  last_way_in: {
    status: 409,
    title: 'This is the only way to sign in',
    advice: 'Set a password, add a passkey or link another provider first.',
  },
  password_too_weak: {
    status: 422,
    title: 'The password is too easy to guess',
    advice: 'Choose a longer password, such as several unrelated words. All characters are allowed, including spaces.',
  },
} as const satisfies ProblemTable
