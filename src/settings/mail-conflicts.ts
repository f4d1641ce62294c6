import type { Rule } from './rule.js'
import type { Settings } from './settings.js'

/** How the settings of mails depend on each other. */
export const mailRules: Rule[] = [
  {
    between: ['MAIL_URL', 'MAIL_FROM'],
    find: ({ MAIL_URL, MAIL_FROM }) =>
      MAIL_URL !== undefined && MAIL_FROM === undefined
        ? 'MAIL_FROM is required with MAIL_URL: set the sender, such as Example <no-reply@example.com>.'
        : null,
  },
  {
    between: ['MAIL_URL', 'MAIL_HOOK_SECRET'],
    find: ({ MAIL_URL, MAIL_HOOK_SECRET }) =>
      MAIL_URL?.transport === 'hook' && MAIL_HOOK_SECRET === undefined
        ? 'MAIL_HOOK_SECRET is required with a hook, which could otherwise not tell who calls it: ' +
          'set whsec_ and at least 24 random bytes in base64.'
        : null,
  },
  {
    between: ['MAIL_URL', 'MAIL_OAUTH'],
    find({ MAIL_URL, MAIL_OAUTH }) {
      if (MAIL_URL?.transport !== 'smtp' || MAIL_URL.user === null) {
        return MAIL_OAUTH === undefined ? null : 'MAIL_OAUTH needs an account: set MAIL_URL to smtp://user@host.'
      }
      if (MAIL_URL.password === null && MAIL_OAUTH === undefined) {
        return 'MAIL_URL names a user without a password: add it, or set MAIL_OAUTH.'
      }
      return MAIL_URL.password !== null && MAIL_OAUTH !== undefined
        ? 'MAIL_OAUTH is set although MAIL_URL has a password: remove one of them.'
        : null
    },
  },
  {
    between: ['MAIL_URL', 'MAIL_DKIM'],
    find: ({ MAIL_URL, MAIL_DKIM }) =>
      MAIL_DKIM !== undefined && MAIL_URL?.transport !== 'smtp'
        ? 'MAIL_DKIM signs mails for an SMTP server: set MAIL_URL to one, or remove MAIL_DKIM.'
        : null,
  },
  {
    between: ['NODE_ENV', 'MAIL_URL', 'EMAIL_VERIFICATION'],
    find: (settings) =>
      isOff(settings) && ['required', 'later'].includes(settings.EMAIL_VERIFICATION ?? 'off')
        ? 'EMAIL_VERIFICATION needs mail: set MAIL_URL, or EMAIL_VERIFICATION to off.'
        : null,
  },
  {
    between: ['NODE_ENV', 'MAIL_URL', 'SIGN_IN_METHODS'],
    find: (settings) =>
      isOff(settings) && settings.SIGN_IN_METHODS.includes('otp')
        ? 'SIGN_IN_METHODS lists otp, which needs mail: set MAIL_URL, or remove it.'
        : null,
  },
]

/** Outside production, mails go to the development inbox. */
const isOff = ({ NODE_ENV, MAIL_URL }: Settings) => NODE_ENV === 'production' && MAIL_URL === undefined
