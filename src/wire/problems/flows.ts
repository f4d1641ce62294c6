import type { ProblemTable } from './problem-table.js'

/** Problems with a link or a code from a mail, and with what is switched off. */
export const flowCodes = {
  flow_invalid: {
    status: 401,
    title: 'The link or the code is not valid',
    advice:
      'Check the code. If "reason" is not "wrong_code", begin again: ask for a new mail, or sign in again. "attempts_left" says ' +
      'how often a code may still be tried.',
  },
  flow_unbound: {
    status: 401,
    title: 'The link was opened elsewhere',
    advice:
      'Open the link where it was asked for, or show what "needs" lists: the password, the code from the mail, or a signed-in session.',
  },
  not_offered: {
    status: 403,
    title: 'This is not offered here',
    advice: 'The operator has switched it off. "detail" names the setting.',
  },
} as const satisfies ProblemTable
