import type { Folder } from '../step.js'
import { secondDevice } from './sessions.js'

export const services: Folder = {
  name: '7. For other services',
  about:
    'What a service that only verifies tokens asks for. It needs a credential of its own: ' +
    '`npm run verifier:create -- --name postman` prints one, and an entry for `VERIFIER_KEYS` to start Sallyport with. ' +
    'Put the credential into the variable `verifier_credential` of the environment. Without it, this folder is skipped.',
  needs: {
    variable: 'verifier_credential',
    reason: 'needs verifier_credential: npm run verifier:create makes one',
  },
  steps: [
    secondDevice('A user logs in', 'Whose access token the service is shown.'),
    {
      name: 'Is this token good?',
      operation: 'introspectToken',
      about: 'For services that cannot verify a signature, or want the word of the database.',
      send: { body: { token: '{{phone_access_token}}' } },
      answers: 200,
      checks: {
        'it is, and says whose it is': `
          pm.expect(answer).to.include({ active: true, sid: pm.collectionVariables.get('phone_session_id') })
        `,
      },
    },
    {
      name: "End the token's session",
      operation: 'revokeToken',
      about: 'Takes an access token or a refresh token.',
      send: { body: { token: '{{phone_refresh_token}}' } },
      answers: 200,
    },
    {
      name: 'Is it still good?',
      operation: 'introspectToken',
      about: 'Nothing but that is told of a token that is not good.',
      send: { body: { token: '{{phone_access_token}}' } },
      answers: 200,
      checks: { 'it is not': `pm.expect(answer).to.eql({ active: false })` },
    },
    {
      name: 'What has been revoked',
      operation: 'listRevocations',
      about: 'The list that a verifier keeps in memory, so that it need not ask for each token.',
      answers: 200,
      keeps: { cursor: 'cursor' },
      checks: {
        'the session is in it': `
          const sessions = answer.entries.filter(({ kind }) => kind === 'session').map(({ sid }) => sid)
          pm.expect(sessions).to.include(pm.collectionVariables.get('phone_session_id'))
        `,
      },
    },
    {
      name: 'What came after',
      operation: 'listRevocations',
      about: 'With the cursor of the answer before, only what is new.',
      send: { query: { cursor: '{{cursor}}' } },
      answers: 200,
    },
  ],
}
