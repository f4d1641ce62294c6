import type { ProblemTable } from './problem-table.js'

/** Problems with a sign-in at another provider. */
export const socialCodes = {
  social_attempt_invalid: {
    status: 400,
    title: 'This sign-in is not valid any more',
    advice: 'It was used already, it is older than ten minutes, or it was begun in another browser. Begin again.',
  },
  provider_response_invalid: {
    status: 400,
    title: 'The response of the provider is not valid',
    advice: 'Begin again. If it happens every time, the operator finds the reason in the log.',
  },
  id_token_invalid: {
    status: 400,
    title: 'The ID token is not valid',
    advice: 'Get a new one from the provider, for a client of this API and with a nonce, and send it once.',
  },
  identity_taken: {
    status: 409,
    title: 'This account is linked to another user',
    advice: 'Sign in with it, or unlink it there first.',
  },
  identity_link_required: {
    status: 409,
    title: 'There is an account with this address already',
    advice: 'Sign in the way you did before, or reset the password by mail, and link the provider in your account.',
  },
  email_required: {
    status: 422,
    title: 'The provider tells no email address',
    advice:
      'An account needs an address. Share it at the provider and begin again, or register another way and link the ' +
      'provider in your account.',
  },
  provider_unavailable: {
    status: 503,
    title: 'The provider does not respond',
    advice: 'Try again after the seconds in Retry-After, or sign in another way.',
  },
} as const satisfies ProblemTable
