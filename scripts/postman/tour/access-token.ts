import type { Folder } from '../step.js'

export const accessToken: Folder = {
  name: '3. Use the access token',
  about: 'The collection sends it along: `Authorization: Bearer {{access_token}}`.',
  steps: [
    {
      name: 'Who am I?',
      operation: 'whoami',
      about: 'What the token says, verified by its signature and the list of revocations. No query is made.',
      answers: 200,
      checks: {
        'it is of this session': `pm.expect(answer.sid).to.equal(pm.collectionVariables.get('session_id'))`,
      },
    },
    {
      name: 'My account',
      operation: 'getMe',
      about: 'What is kept of the user, from the database.',
      answers: 200,
      checks: {
        'it is who registered': `pm.expect(answer.email).to.equal(pm.collectionVariables.get('email'))`,
      },
    },
    {
      name: 'Change my name',
      operation: 'changeMe',
      about: 'Only the name can be changed here.',
      answers: 200,
      checks: { 'the name has changed': `pm.expect(answer.name).to.equal('Ada King, Countess of Lovelace')` },
    },
  ],
}
