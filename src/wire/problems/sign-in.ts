import type { ProblemTable } from './problem-table.js'

/** Why a sign-in, a registration or a change of password is refused. */
export const signInCodes = {
  invalid_credentials: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    advice: 'Check both and try again. The answer is the same for an address that is not registered.',
  },
  account_banned: {
    status: 403,
    title: 'The account is banned',
    advice: 'Ask whoever runs this service.',
  },
  registration_closed: {
    status: 403,
    title: 'Registration is closed',
    advice: 'Ask whoever runs this service for an account.',
  },
  email_taken: {
    status: 409,
    title: 'The e-mail address is already registered',
    advice: 'Sign in, or register with another address.',
  },
  password_too_weak: {
    status: 422,
    title: 'The password is too easy to guess',
    advice: 'Choose a longer one, such as several unrelated words. Any characters are allowed, spaces too.',
  },
} as const satisfies ProblemTable
