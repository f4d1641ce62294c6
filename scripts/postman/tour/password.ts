import type { Folder } from '../step.js'
import { refreshStep } from './refresh.js'
import { secondDevice } from './sessions.js'

export const password: Folder = {
  name: '6. Change the password',
  about: 'This device stays signed in, and every other one is signed out.',
  steps: [
    secondDevice('Log in on the phone again', 'So that there is another session to end.'),
    {
      name: 'Change the password',
      operation: 'changePassword',
      about: 'The current password is asked for. The script then lets the two passwords change places.',
      send: { body: { current_password: '{{password}}', new_password: '{{new_password}}' } },
      answers: 204,
      then: `
        const current = pm.collectionVariables.get('password')
        pm.collectionVariables.set('password', pm.collectionVariables.get('new_password'))
        pm.collectionVariables.set('new_password', current)
        pm.collectionVariables.set('stale_access_token', pm.collectionVariables.get('access_token'))
      `,
    },
    {
      name: 'The access token is stale',
      operation: 'whoami',
      about: 'It was issued before the change. That is no reason to log in: a refresh mends it.',
      answers: 'token_stale',
    },
    refreshStep('Refresh after the change', 'The session goes on, with an access token that tells the truth again.'),
    {
      name: 'The new access token is good',
      operation: 'whoami',
      about: 'Nobody had to log in.',
      answers: 200,
    },
    {
      name: 'The phone is signed out',
      operation: 'refresh',
      about: 'Its session has ended, and the reason says why.',
      send: { bearer: null, body: { refresh_token: '{{phone_refresh_token}}' } },
      answers: 'session_ended',
      reason: 'password_changed',
    },
  ],
}
