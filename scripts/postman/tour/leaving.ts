import type { Folder } from '../step.js'
import { credentials, keepTokens } from './sign-in.js'

const logIn = { operation: 'login', send: { body: credentials('Postman') }, answers: 200, keeps: keepTokens }

export const leaving: Folder = {
  name: '14. Log out',
  about: 'Ends one session, all sessions, and the account.',
  steps: [
    {
      name: 'Log out',
      operation: 'logout',
      about: 'Ends the session of the given credential, here the access token.',
      send: { body: null },
      answers: 204,
    },
    {
      name: 'The access token is refused',
      operation: 'whoami',
      about: 'Takes effect immediately, although the token has not expired.',
      answers: 'session_ended',
    },
    {
      name: 'The refresh token is refused',
      operation: 'refresh',
      about: 'The client asks the user to log in and can show the reason.',
      send: { bearer: null, body: { refresh_token: '{{refresh_token}}' } },
      answers: 'session_ended',
      reason: 'logout',
    },
    {
      name: 'Log out again',
      operation: 'logout',
      about: 'Idempotent: the response is the same.',
      send: { body: null },
      answers: 204,
    },
    { ...logIn, name: 'Log in again', about: 'Opens a new session.' },
    {
      name: 'Why was I logged out?',
      operation: 'listSessions',
      about: 'Lists the ended sessions of this tour with their reasons.',
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
      about: 'Ends all sessions of the user, including this one.',
      answers: 204,
    },
    { ...logIn, name: 'Log in once more', about: 'Signs in to delete the account.' },
    {
      name: 'Delete the account with a wrong password',
      operation: 'deleteMeByPost',
      about: 'The same as DELETE /v1/me, for clients that send no body with DELETE.',
      send: { body: { password: 'not the password of this user' } },
      answers: 'invalid_credentials',
    },
    {
      name: 'Delete the account',
      operation: 'deleteMe',
      about: 'Requires the password. Deletes all personal data of the user.',
      send: { body: { password: '{{password}}' } },
      answers: 204,
    },
    {
      name: 'The session ended too',
      operation: 'refresh',
      about: 'The reason stays available until the token would have expired.',
      send: { bearer: null, body: { refresh_token: '{{refresh_token}}' } },
      answers: 'session_ended',
      reason: 'deleted',
    },
    {
      name: 'Log in to the deleted account',
      operation: 'login',
      about: 'The response is the same as for a wrong password. Start the tour again with "Register" in folder 2.',
      send: { body: credentials('Postman') },
      answers: 'invalid_credentials',
    },
  ],
}
