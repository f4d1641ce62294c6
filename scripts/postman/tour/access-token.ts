import type { Folder } from '../step.js'

export const accessToken: Folder = {
  name: '3. Use the access token',
  about: 'The collection sends it as `Authorization: Bearer {{access_token}}`.',
  steps: [
    {
      name: 'Who am I?',
      operation: 'whoami',
      about: 'Returns the claims of the token, verified by signature and revocation list, without a database query.',
      answers: 200,
      checks: {
        'it belongs to this session': `pm.expect(answer.sid).to.equal(pm.collectionVariables.get('session_id'))`,
      },
    },
    {
      name: 'My account',
      operation: 'getMe',
      about: 'Returns the user from the database.',
      answers: 200,
      checks: {
        'it is the registered user': `pm.expect(answer.email).to.equal(pm.collectionVariables.get('email'))`,
      },
    },
    {
      name: 'Ask like a gateway',
      operation: 'authorizeRequest',
      about: 'nginx, Caddy and Envoy ask this before they pass a request on. The headers of the response name the user.',
      answers: 200,
      checks: {
        'the headers name the user and the session': `
          pm.expect(pm.response.headers.get('X-Auth-Email')).to.equal(pm.collectionVariables.get('email'))
          pm.expect(pm.response.headers.get('X-Auth-Session')).to.equal(pm.collectionVariables.get('session_id'))
        `,
      },
    },
    {
      name: 'Change my name',
      operation: 'changeMe',
      about: 'The name and the language of mails can be changed here.',
      answers: 200,
      checks: { 'the name has changed': `pm.expect(answer.name).to.equal('Ada King, Countess of Lovelace')` },
    },
  ],
}
