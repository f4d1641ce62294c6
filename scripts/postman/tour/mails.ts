import type { Folder, Step } from '../step.js'
import { credentials, keepTokens } from './sign-in.js'

/**
 * A script that waits in the development inbox for the next mail of a kind to the address in a variable, and stores its code
 * and, of the link to `page`, the token and the digits.
 */
function readMail(kind: string, { to = 'email', page = 'verify-email' } = {}): string {
  return `
    const to = encodeURIComponent(pm.collectionVariables.get('${to}'))
    const inbox = pm.variables.replaceIn('{{baseUrl}}') + '/dev/inbox.json?to=' + to
    const read = (pm.collectionVariables.get('read_mails') || '').split(' ')
    const keep = (name, [, found = ''] = []) => pm.collectionVariables.set(name, found)
    function look(tries) {
      pm.sendRequest(inbox, (error, response) => {
        const mails = error || response.code !== 200 ? [] : response.json().mails
        const mail = mails.find(({ id, kind }) => kind === '${kind}' && !read.includes(id))
        if (mail === undefined) {
          if (tries > 0) setTimeout(() => look(tries - 1), 250)
          return
        }
        pm.collectionVariables.set('read_mails', [...read, mail.id].join(' '))
        pm.collectionVariables.set('mail_code', mail.code || '')
        keep('mail_token', /${page}[?]token=(spl_[A-Za-z0-9_-]+)/.exec(mail.text) || [])
        keep('mail_digits', /^ *([0-9]{4}) *$/m.exec(mail.text) || [])
      })
    }
    look(40)
  `
}

const keepFlow = { flow_token: 'flow_token' }
const withCode = { code: '{{mail_code}}', flow_token: '{{flow_token}}' }
const swap = (one: string, other: string) => `
  const former = pm.collectionVariables.get('${one}')
  pm.collectionVariables.set('${one}', pm.collectionVariables.get('${other}'))
  pm.collectionVariables.set('${other}', former)
`

const reset = (name: string, about: string): Step => ({
  name,
  operation: 'resetPassword',
  about,
  before: readMail('reset_password'),
  send: { body: { ...withCode, new_password: '{{new_password}}' } },
  answers: 204,
  then: swap('password', 'new_password'),
})

const logIn = (name: string, about: string): Step => ({
  name,
  operation: 'login',
  about,
  send: { body: credentials('Postman') },
  answers: 200,
  keeps: keepTokens,
})

const address: Folder = {
  name: 'Confirm the address',
  about: 'The registration of folder 2 sent the first mail, whose code the change of the password in folder 6 has ended.',
  steps: [
    {
      name: 'Send the mail again',
      operation: 'resendMail',
      about:
        'A signed-in user gets a new one. With a flow token, the mail of its flow is sent again, at most once in 30 seconds; ' +
        'the response does not tell whether one is sent.',
      // The mail of the registration is left unread.
      before: readMail('verify_email'),
      send: { body: { mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
    {
      name: 'Confirm the address',
      operation: 'verifyEmail',
      about: 'With the code from the mail, which is good only together with the flow token; or with the token of its link.',
      before: readMail('verify_email'),
      send: { body: withCode },
      answers: 204,
    },
  ],
}

const password: Folder = {
  name: 'Forgotten password',
  about: 'The response is the same whether or not a user has the address.',
  steps: [
    {
      name: 'Ask for a reset',
      operation: 'forgotPassword',
      about: 'Sends a mail with a link and a code.',
      send: { body: { email: '{{email}}', mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
    reset('Set a new password', 'With the code from the mail. Ends all sessions, and opens none.'),
    logIn('Log in with the new password', 'Opens the session with which the tour goes on.'),
  ],
}

const change: Folder = {
  name: 'Another address',
  about: 'The new address is confirmed before it counts, and the old one hears of it.',
  steps: [
    {
      name: 'Change the address',
      operation: 'changeEmail',
      about: 'Sends a mail to the new address. Requires a recent login.',
      before: `
        pm.collectionVariables.set('new_email', 'new-' + pm.collectionVariables.get('email'))
      `,
      send: { body: { email: '{{new_email}}', mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
    {
      name: 'Cancel the change',
      operation: 'cancelEmailChange',
      about: 'The code in the mail is worth nothing from now on.',
      answers: 204,
    },
    {
      name: 'Change it after all',
      operation: 'changeEmail',
      about: 'Sends another mail.',
      // The one of the cancelled change is left unread.
      before: readMail('email_change', { to: 'new_email' }),
      send: { body: { email: '{{new_email}}', mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
    {
      name: 'Confirm the new address',
      operation: 'verifyEmail',
      about: 'With the code that the new address got.',
      before: readMail('email_change', { to: 'new_email' }),
      send: { body: withCode },
      answers: 204,
    },
    {
      name: 'Undo the change',
      operation: 'undoEmailChange',
      about: 'With link and digits from the notice to the old address, which is restored. Ends all sessions, and sends a reset.',
      before: readMail('email_changed', { page: 'undo-email-change' }),
      send: { body: { token: '{{mail_token}}', confirm: '{{mail_digits}}', mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
    reset('Set a password again', 'With the code that the restored address got.'),
    logIn('Log in with the old address', 'It is that of the account again.'),
  ],
}

export const mails: Folder = {
  name: '10. Mails',
  about:
    'What a user does to their account with a mail. Scripts read the mails in the development inbox, `/dev/inbox`, which ' +
    'Sallyport has in development without `MAIL_URL`. Where it sends mails, clear `development_inbox` in the environment: ' +
    'this folder is skipped then.',
  needs: {
    variable: 'development_inbox',
    reason: 'requires development_inbox: a Sallyport in development without MAIL_URL has one',
  },
  steps: [
    address,
    password,
    change,
    {
      name: 'It was not me',
      operation: 'notMe',
      about: 'With link and digits from a notice, here of the password reset. Ends the session of the notice, and sends a reset.',
      before: readMail('password_reset', { page: 'not-me' }),
      send: { body: { token: '{{mail_token}}', confirm: '{{mail_digits}}', mode: 'json' } },
      answers: 202,
      keeps: keepFlow,
    },
  ],
}
