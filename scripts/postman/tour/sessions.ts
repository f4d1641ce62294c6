import type { Folder, Step } from '../step.js'
import { credentials } from './sign-in.js'

/** A login on a second device, whose tokens the tour keeps beside its own. */
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
  about: 'Each login is a session: a device in the list of its user, who can name it and end it.',
  steps: [
    secondDevice('Log in on a phone', 'A second device. Its tokens are kept beside those of this one.'),
    {
      name: 'My devices',
      operation: 'listSessions',
      about: 'All live sessions, with where and when each was last used.',
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
      about: 'So that its user knows it again.',
      send: { path: { id: '{{phone_session_id}}' }, body: { device_name: "Ada's phone" } },
      answers: 200,
      checks: { 'it has its name': `pm.expect(answer.device_name).to.equal("Ada's phone")` },
    },
    {
      name: 'End the session on the phone',
      operation: 'endSession',
      about: 'The phone was lost.',
      send: { path: { id: '{{phone_session_id}}' } },
      answers: 204,
    },
    {
      name: 'The phone is refused',
      operation: 'whoami',
      about: 'Its access token has not expired, and is refused from this moment; by other services within a second.',
      send: { bearer: '{{phone_access_token}}' },
      answers: 'session_ended',
    },
    {
      name: 'End all others',
      operation: 'endOtherSessions',
      about: 'Only this device stays. The session of "Register" ends here.',
      answers: 204,
    },
    {
      name: 'What ended, and why',
      operation: 'listSessions',
      about: 'An ended session stays in this list until its last day, with its reason.',
      send: { query: { ended: 'true' } },
      answers: 200,
      checks: {
        'the phone is among them': `
          const phone = answer.sessions.find(({ id }) => id === pm.collectionVariables.get('phone_session_id'))
          pm.expect(phone).to.include({ device_name: "Ada's phone", reason: 'revoked_by_user' })
        `,
      },
    },
  ],
}
