import type { Folder } from '../step.js'
import { secondDevice } from './sessions.js'

export const services: Folder = {
  name: '7. For other services',
  about:
    'Requests of services that verify tokens. They require a credential: ' +
    '`npm run verifier:create -- --name postman` prints one, and an entry for `VERIFIER_KEYS` to start Sallyport with. ' +
    'Set the environment variable `verifier_credential` to the credential. Without it, this folder is skipped.',
  needs: {
    variable: 'verifier_credential',
    reason: 'requires verifier_credential: create one with npm run verifier:create',
  },
  steps: [
    secondDevice('A user logs in', 'Provides the access token that the service verifies.'),
    {
      name: 'Introspect the access token',
      operation: 'introspectToken',
      about: 'For services that cannot verify signatures, or need the current state from the database.',
      send: { body: { token: '{{phone_access_token}}' } },
      answers: 200,
      checks: {
        'it is active, and names its user': `
          pm.expect(answer).to.include({ active: true, sid: pm.collectionVariables.get('phone_session_id') })
        `,
      },
    },
    {
      name: 'Revoke the token',
      operation: 'revokeToken',
      about: 'Accepts an access token or a refresh token and ends its session.',
      send: { body: { token: '{{phone_refresh_token}}' } },
      answers: 200,
    },
    {
      name: 'Introspect the revoked token',
      operation: 'introspectToken',
      about: 'Only `active` is returned for an inactive token.',
      send: { body: { token: '{{phone_access_token}}' } },
      answers: 200,
      checks: { 'it is not active': `pm.expect(answer).to.eql({ active: false })` },
    },
    {
      name: 'List revocations',
      operation: 'listRevocations',
      about: 'The list that verifiers keep in memory to check tokens without a request.',
      answers: 200,
      keeps: { cursor: 'cursor' },
      checks: {
        'the list contains the session': `
          const sessions = answer.entries.filter(({ kind }) => kind === 'session').map(({ sid }) => sid)
          pm.expect(sessions).to.include(pm.collectionVariables.get('phone_session_id'))
        `,
      },
    },
    {
      name: 'List newer revocations',
      operation: 'listRevocations',
      about: 'With the cursor of the previous response, only newer entries.',
      send: { query: { cursor: '{{cursor}}' } },
      answers: 200,
    },
  ],
}
