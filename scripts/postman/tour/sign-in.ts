import type { Folder } from '../step.js'

/** Stores the tokens of a response for the rest of the tour. */
export const keepTokens = {
  access_token: 'access_token',
  refresh_token: 'refresh_token',
  session_id: 'session.id',
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
      keeps: keepTokens,
      checks: {
        'no cache may keep it': `pm.expect(pm.response.headers.get('Cache-Control')).to.equal('no-store')`,
      },
    },
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
