import type { Folder } from '../step.js'
import { credentials, keepTokens } from './sign-in.js'

const logIn = { operation: 'login', send: { body: credentials('Postman') }, answers: 200, keeps: keepTokens }

export const leaving: Folder = {
  name: '10. Log out, and what remains',
  about: 'The end of a session, of all sessions, and of the account.',
  steps: [
    {
      name: 'Log out',
      operation: 'logout',
      about: 'Ends the session of whatever credential is shown, here the access token.',
      send: { body: null },
      answers: 204,
    },
    {
      name: 'The access token is refused',
      operation: 'whoami',
      about: 'At once, although it has not expired.',
      answers: 'session_ended',
    },
    {
      name: 'The refresh token is refused',
      operation: 'refresh',
      about: 'A client that meets this asks its user to log in, and can tell them why.',
      send: { bearer: null, body: { refresh_token: '{{refresh_token}}' } },
      answers: 'session_ended',
      reason: 'logout',
    },
    {
      name: 'Log out again',
      operation: 'logout',
      about: 'Harmless, and answered in the same way.',
      send: { body: null },
      answers: 204,
    },
    { ...logIn, name: 'Log in again', about: 'A new session.' },
    {
      name: 'Why was I logged out?',
      operation: 'listSessions',
      about: 'Every session that has ended in this tour, and its reason.',
      send: { query: { ended: 'true' } },
      answers: 200,
      checks: {
        'one of them was logged out': `
          pm.expect(answer.sessions.map(({ reason }) => reason)).to.include('logout')
        `,
      },
    },
    {
      name: 'Log out everywhere',
      operation: 'logoutAll',
      about: 'Ends every session of the user, this one included.',
      answers: 204,
    },
    { ...logIn, name: 'Log in once more', about: 'To delete the account.' },
    {
      name: 'Delete the account',
      operation: 'deleteMe',
      about: 'The password is asked for. Nothing that tells of the user remains.',
      send: { body: { password: '{{password}}' } },
      answers: 204,
    },
    {
      name: 'The session has ended with it',
      operation: 'refresh',
      about: 'That much is known of it until its last day.',
      send: { bearer: null, body: { refresh_token: '{{refresh_token}}' } },
      answers: 'session_ended',
      reason: 'deleted',
    },
    {
      name: 'Nobody of that name',
      operation: 'login',
      about: 'The same answer as to a wrong password. "Register" of folder 2 starts the tour again.',
      send: { body: credentials('Postman') },
      answers: 'invalid_credentials',
    },
  ],
}
