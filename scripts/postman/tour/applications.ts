import type { Folder, Step } from '../step.js'

const client = { client_id: '{{oauth_client_id}}', client_secret: '{{oauth_client_secret}}' }

/** Its requests are skipped where discovery says that there is no OpenID provider, and where no client is registered. */
export const provider: Folder = {
  name: 'The OpenID provider',
  about: 'The requests that an application sends itself. Users sign in with a browser, at the address of the last one.',
  needs: {
    variable: 'oauth_provider',
    reason: 'requires OAUTH=on, and a client in oauth_client_id and oauth_client_secret',
  },
  steps: [
    {
      name: 'Get a token of its own',
      operation: 'issueTokens',
      about: 'Client credentials (RFC 6749, section 4.4): the client acts for itself, so there is no user and no session.',
      send: { bearer: null, body: { grant_type: 'client_credentials', ...client } },
      answers: 200,
      keeps: { client_access_token: 'access_token' },
      checks: {
        'there is nothing to refresh': `pm.expect(answer).to.not.have.any.keys('refresh_token', 'id_token')`,
      },
    },
    {
      name: 'Show a wrong secret',
      operation: 'issueTokens',
      about: 'Errors of these routes are those of OAuth (RFC 6749, section 5.2).',
      send: { bearer: null, body: { grant_type: 'client_credentials', ...client, client_secret: 'wrong' } },
      answers: 'invalid_client',
    },
    {
      name: 'The token is not that of a user',
      operation: 'whoami',
      about: "Sallyport's own routes require the access token of a sign-in here.",
      send: { bearer: '{{client_access_token}}' },
      answers: 'forbidden',
    },
    ...(['getUserInfo', 'postUserInfo'] as const).map(
      (operation): Step => ({
        name: operation === 'getUserInfo' ? 'Get the claims about the user' : 'Get the claims by POST',
        operation,
        about:
          'It requires the access token of an application in which the user has signed in; the one of this tour was issued ' +
          'to no application.',
        send: { bearer: '{{access_token}}', body: null },
        answers: 'invalid_token',
      }),
    ),
    {
      name: 'Get the codes of a device',
      operation: 'authorizeDevice',
      about:
        'RFC 8628: a device that has no browser shows the user code, and its user enters it at the address that the script ' +
        'prints. Meanwhile the device polls the token endpoint.',
      send: { bearer: null, body: { ...client, scope: 'openid email' } },
      answers: 200,
      keeps: { device_code: 'device_code' },
      then: `console.log(answer.verification_uri_complete)`,
    },
    {
      name: 'Push an authorization request',
      operation: 'pushAuthorizationRequest',
      about:
        'RFC 9126: the parameters of the sign-in are sent directly, and the browser gets only a reference to them. Open the ' +
        'address that the script prints in a browser to sign in; the browser returns to the redirect address with a code.',
      send: {
        bearer: null,
        body: {
          ...{ ...client, response_type: 'code', redirect_uri: '{{oauth_redirect_uri}}', scope: 'openid email' },
          // The challenge of the example of RFC 7636, appendix B, whose verifier is
          // dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk.
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
        },
      },
      answers: 201,
      keeps: { request_uri: 'request_uri' },
      then: `
        const parameters = pm.variables.replaceIn('client_id={{oauth_client_id}}&request_uri={{request_uri}}')
        console.log(pm.variables.replaceIn('{{baseUrl}}') + '/oauth/authorize?' + parameters)
      `,
    },
  ],
}

/** Its requests are skipped where discovery names no endpoint for them. */
export const registration: Folder = {
  name: 'Registration',
  about: 'An application registers itself (RFC 7591), as agents do.',
  needs: { variable: 'oauth_registration', reason: 'requires OAUTH_REGISTRATION=open' },
  steps: [
    {
      name: 'Register an application',
      operation: 'registerClient',
      about: 'It may be less than one that an operator registers: its users are always asked for their consent.',
      send: { bearer: null, body: { client_name: 'Notes', redirect_uris: ['https://notes.example.com/callback'] } },
      answers: 201,
      checks: { 'it has a secret': `pm.expect(answer.client_secret).to.match(/^spc_/)` },
    },
    {
      name: 'Register one whose address no browser may return to',
      operation: 'registerClient',
      about: 'Redirect addresses are checked as those of `client:create` are.',
      send: { bearer: null, body: { client_name: 'Notes', redirect_uris: ['http://notes.example.com/callback'] } },
      answers: 'invalid_redirect_uri',
    },
  ],
}

export const applications: Folder = {
  name: '12. Applications',
  about:
    'What applications do that sign their users in here (docs/oauth.md). Start Sallyport with `OAUTH=on`, register a client with ' +
    '`npm run client:create -- --client-name Postman --grant-types authorization_code --grant-types client_credentials ' +
    '--grant-types urn:ietf:params:oauth:grant-type:device_code ' +
    '--redirect-uris https://oauth.pstmn.io/v1/callback --token-endpoint-auth-method client_secret_post`, and set the ' +
    'environment variables `oauth_client_id` and `oauth_client_secret`. Without them, only discovery is sent.',
  steps: [
    {
      name: 'Discovery',
      operation: 'getOpenIdConfiguration',
      about: 'Applications begin here: it tells whether there is an OpenID provider, and what its routes are.',
      answers: 200,
      then: `
        const isReady = answer.token_endpoint !== undefined && Boolean(pm.variables.get('oauth_client_secret'))
        pm.collectionVariables.set('oauth_provider', isReady ? 'yes' : '')
        pm.collectionVariables.set('oauth_registration', answer.registration_endpoint === undefined ? '' : 'yes')
      `,
    },
    provider,
    registration,
  ],
}
