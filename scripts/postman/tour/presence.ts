import type { Folder } from '../step.js'

export const presence: Folder = {
  name: '1. Probes and keys',
  about: 'Public requests, without an account.',
  steps: [
    {
      name: 'Liveness probe',
      operation: 'getLiveness',
      about: 'An orchestrator restarts Sallyport if this fails.',
      answers: 200,
    },
    {
      name: 'Readiness probe',
      operation: 'getReadiness',
      about: 'Queries the database. A load balancer sends requests to ready instances only.',
      answers: 200,
    },
    {
      name: 'The key set',
      operation: 'getKeySet',
      about: 'The public keys with which other services verify access tokens offline.',
      answers: 200,
      then: `pm.collectionVariables.set('key_set_etag', pm.response.headers.get('ETag'))`,
      checks: {
        'contains no private key': `
          for (const key of answer.keys) pm.expect(key).to.not.have.any.keys('d', 'p', 'q', 'k')
        `,
      },
    },
    {
      name: 'The key set, if it has changed',
      operation: 'getKeySet',
      about: 'A conditional request with `If-None-Match`.',
      send: { headers: { 'If-None-Match': '{{key_set_etag}}' } },
      answers: 304,
    },
    {
      name: 'Authorization server metadata',
      operation: 'getServerMetadata',
      about: 'RFC 8414, for clients that are configured with the issuer only.',
      answers: 200,
    },
    {
      name: 'OpenID configuration',
      operation: 'getOpenIdConfiguration',
      about: 'The same for verifiers that know no other document. With `OAUTH=on`, it also describes the OpenID provider.',
      answers: 200,
    },
  ],
}
