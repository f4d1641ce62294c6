import type { ProblemTable } from './problem-table.js'

/** Problems with a sign-in, a registration or a change of password. */
export const signInCodes = {
  invalid_credentials: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    advice: 'Check both and try again. The response is the same for an address that is not registered.',
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
  password_too_weak: {
    status: 422,
    title: 'The password is too easy to guess',
    advice: 'Choose a longer password, such as several unrelated words. All characters are allowed, including spaces.',
  },
} as const satisfies ProblemTable
