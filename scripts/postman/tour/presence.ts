import type { Folder } from '../step.js'

export const presence: Folder = {
  name: '1. Is it there?',
  about: 'What anybody may ask, without an account.',
  steps: [
    {
      name: 'Is it alive?',
      operation: 'getLiveness',
      about: 'Whoever runs Sallyport restarts it when this does not answer.',
      answers: 200,
    },
    {
      name: 'Can it serve?',
      operation: 'getReadiness',
      about: 'The database is asked. A load balancer sends requests to who is ready.',
      answers: 200,
    },
    {
      name: 'The key set',
      operation: 'getKeySet',
      about: 'All that another service needs to verify an access token, without asking anybody.',
      answers: 200,
      then: `pm.collectionVariables.set('key_set_etag', pm.response.headers.get('ETag'))`,
      checks: {
        'holds no private key': `
          for (const key of answer.keys) pm.expect(key).to.not.have.any.keys('d', 'p', 'q', 'k')
        `,
      },
    },
    {
      name: 'The key set, if it has changed',
      operation: 'getKeySet',
      about: 'Whoever has the key set asks for a newer one only.',
      send: { headers: { 'If-None-Match': '{{key_set_etag}}' } },
      answers: 304,
    },
    {
      name: 'Where standard clients find things',
      operation: 'getServerMetadata',
      about: 'RFC 8414, for clients that are configured with the issuer alone.',
      answers: 200,
    },
  ],
}
