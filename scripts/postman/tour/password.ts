import type { Folder } from '../step.js'
import { passkeys } from './passkeys.js'
import { refreshStep } from './refresh.js'
import { secondDevice } from './sessions.js'

export const password: Folder = {
  name: '6. Change the password',
  about: 'This device stays signed in; all other devices are signed out.',
  steps: [
    secondDevice('Log in on the phone again', 'Opens another session, which the password change will end.'),
    {
      name: 'Change the password',
      operation: 'changePassword',
      about: 'Requires the current password. The script then swaps the two password variables.',
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
      about: 'It was issued before the change. A refresh returns a current one; no login is needed.',
      answers: 'token_stale',
    },
    refreshStep('Refresh after the change', 'The session continues with a current access token.'),
    {
      name: 'The new access token is valid',
      operation: 'whoami',
      about: 'No login was needed.',
      answers: 200,
    },
    {
      name: 'Authenticate again',
      operation: 'reauthenticate',
      about:
        'The way back from `insufficient_user_authentication`: the new access token says that the user has authenticated just ' +
        'now, and the refresh token stays valid. Users with a second factor send one instead of the password.',
      send: { body: { password: '{{password}}' } },
      answers: 200,
      then: `pm.collectionVariables.set('access_token', answer.access_token)`,
      checks: { 'nothing is rotated': `pm.expect(answer).to.not.have.property('refresh_token')` },
    },
    {
      name: 'The same with a passkey',
      operation: 'getReauthenticationOptions',
      about:
        'The options with which a browser asks for one of the user’s passkeys. What it returns is the `credential` of a request ' +
        'as the one before. This user has no passkey, so the list is empty.',
      answers: 200,
      checks: { 'there is a challenge': `pm.expect(answer.options.challenge).to.be.a('string')` },
    },
    {
      name: 'The phone is signed out',
      operation: 'refresh',
      about: 'Its session has ended; `reason` says why.',
      send: { bearer: null, body: { refresh_token: '{{phone_refresh_token}}' } },
      answers: 'session_ended',
      reason: 'password_changed',
    },
    passkeys,
  ],
}
