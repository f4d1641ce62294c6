import type { Folder, Step } from '../step.js'
import { credentials } from './sign-in.js'

/** A login on a second device, whose tokens the tour stores separately. */
export function secondDevice(name: string, about: string): Step {
  return {
    name,
    operation: 'login',
    about,
    send: { body: credentials('Phone') },
    answers: 200,
    keeps: {
      phone_access_token: 'access_token',
      phone_refresh_token: 'refresh_token',
      phone_session_id: 'session.id',
    },
  }
}

export const sessions: Folder = {
  name: '5. Sessions',
  about: 'Each login opens a session, which the user can list, rename and end.',
  steps: [
    secondDevice('Log in on a phone', 'A second device. Its tokens are stored in separate variables.'),
    {
      name: 'My devices',
      operation: 'listSessions',
      about: 'Lists all active sessions, with the time and address of their last use.',
      answers: 200,
      checks: {
        'this device and the phone are among them': `
          const idOf = (variable) => pm.collectionVariables.get(variable)
          const isCurrent = new Map(answer.sessions.map(({ id, current }) => [id, current]))
          pm.expect(isCurrent.get(idOf('session_id'))).to.equal(true)
          pm.expect(isCurrent.get(idOf('phone_session_id'))).to.equal(false)
        `,
      },
    },
    {
      name: 'Name the phone',
      operation: 'renameSession',
      about: 'Sets a name that the user will recognize.',
      send: { path: { id: '{{phone_session_id}}' }, body: { device_name: "Ada's phone" } },
      answers: 200,
      checks: { 'it has its name': `pm.expect(answer.device_name).to.equal("Ada's phone")` },
    },
    {
      name: 'End the session on the phone',
      operation: 'endSession',
      about: 'For example, because the phone was lost.',
      send: { path: { id: '{{phone_session_id}}' } },
      answers: 204,
    },
    {
      name: 'The phone is refused',
      operation: 'whoami',
      about: 'Its access token is refused immediately, although it has not expired; by other services within a second.',
      send: { bearer: '{{phone_access_token}}' },
      answers: 'session_ended',
    },
    {
      name: 'End all others',
      operation: 'endOtherSessions',
      about: 'Only this session stays active. The session of "Register" ends.',
      answers: 204,
    },
    {
      name: 'List ended sessions',
      operation: 'listSessions',
      about: 'Ended sessions stay listed with their reasons until their maximum lifetime is over.',
      send: { query: { ended: 'true' } },
      answers: 200,
      checks: {
        'the phone is among them': `
          const phone = answer.sessions.find(({ id }) => id === pm.collectionVariables.get('phone_session_id'))
          pm.expect(phone).to.include({ device_name: "Ada's phone", reason: 'revoked_by_user' })
        `,
      },
    },
    {
      name: 'My applications',
      operation: 'listApps',
      about: 'Lists the OAuth clients that act for the user. There are none in this tour.',
      answers: 200,
      checks: { 'there is none': `pm.expect(answer.apps).to.deep.equal([])` },
    },
    {
      name: 'End the access of an application',
      operation: 'endApp',
      about: 'An application that does not act for the user is not found.',
      send: { path: { client_id: 'orders-app' } },
      answers: 'not_found',
    },
    {
      name: 'My accounts at other providers',
      operation: 'listIdentities',
      about: 'Lists the accounts with which the user signs in elsewhere. Providers are in `PROVIDERS`; there are none in this tour.',
      answers: 200,
      checks: { 'there is none': `pm.expect(answer.identities).to.deep.equal([])` },
    },
    {
      name: 'Link an account',
      operation: 'linkIdentity',
      about: 'Answers where to send the browser. A provider that is not configured is not found.',
      send: { body: { provider: 'google', return_to: '/account' } },
      answers: 'not_found',
    },
    {
      name: 'Unlink an account',
      operation: 'unlinkIdentity',
      about: 'One that the user does not have is not found. The last way to sign in cannot be removed.',
      answers: 'not_found',
    },
  ],
}
