import type { Folder } from '../step.js'

/** Stores the tokens of a response for the rest of the tour. */
export const keepTokens = {
  access_token: 'access_token',
  refresh_token: 'refresh_token',
  session_id: 'session.id',
}

const byMail: Folder = {
  name: 'By mail',
  about:
    'An address is confirmed with the code, or the link, of a mail. Without MAIL_URL, mails are in the development inbox: ' +
    '`{{baseUrl}}/dev/inbox.json`.',
  steps: [
    {
      name: 'Send the mail again',
      operation: 'resendMail',
      about: 'One more mail is sent once in thirty seconds. The response does not tell whether one was.',
      send: { bearer: null, body: { flow_token: '{{flow_token}}', mode: 'json' } },
      answers: 202,
    },
    {
      name: 'Confirm the address with a wrong code',
      operation: 'verifyEmail',
      about: 'Put the code of the mail in its place. Five wrong ones end it.',
      send: { bearer: null, body: { code: '0000 0000', flow_token: '{{flow_token}}' } },
      answers: 'flow_invalid',
      checks: { 'it says what is wrong': `pm.expect(answer.reason).to.equal('wrong_code')` },
    },
    {
      name: 'Ask for a code to sign in with',
      operation: 'requestCode',
      about: 'Offered only with `SIGN_IN_METHODS=password,otp`.',
      send: { body: { email: '{{email}}', mode: 'json' } },
      answers: 'not_offered',
    },
    {
      name: 'Sign in with a code',
      operation: 'verifyCode',
      about: 'The code counts together with the flow token of the request before.',
      send: { body: { code: '0000 0000', flow_token: '{{flow_token}}' } },
      answers: 'not_offered',
    },
    {
      name: 'Accept an invitation',
      operation: 'acceptInvitation',
      about: 'With the token from the link that `npm run user:invite` mails. This one was made up.',
      send: { body: { token: 'spl_made_up', password: '{{password}}', mode: 'json' } },
      answers: 'flow_invalid',
    },
  ],
}

/** A request for a login of the tour's user in mode `json`. */
export function credentials(deviceName: string) {
  return { email: '{{email}}', password: '{{password}}', mode: 'json', device_name: deviceName }
}

export const signIn: Folder = {
  name: '2. Register and log in',
  about: 'Both return an access token, a refresh token, the session and the user. Scripts store what later requests need.',
  steps: [
    {
      name: 'Register',
      operation: 'register',
      about: 'Creates an account, with a new address for each run, and signs in.',
      before: `
        pm.collectionVariables.set('email', pm.variables.replaceIn('ada-{{$guid}}@example.com'))
      `,
      send: { body: { ...credentials('Laptop'), name: 'Ada Lovelace' } },
      answers: 201,
      keeps: { ...keepTokens, flow_token: 'flow.flow_token' },
      checks: {
        'no cache may keep it': `pm.expect(pm.response.headers.get('Cache-Control')).to.equal('no-store')`,
      },
    },
    byMail,
    {
      name: 'Log in',
      operation: 'login',
      about: 'Opens another session, which the tour uses from here on. The session of "Register" stays active.',
      send: { body: credentials('Postman') },
      answers: 200,
      keeps: keepTokens,
    },
  ],
}
