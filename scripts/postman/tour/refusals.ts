import type { ProblemCode } from '../../../src/wire/problem-codes.js'
import type { Folder } from '../step.js'
import { refusedAccessTokens, refusedRefreshTokens } from './refused-tokens.js'
import { credentials } from './sign-in.js'

/** What no client can provoke by itself, at least not within a run: why not, or what does. */
export const unprovoked = {
  token_expired: 'no access token expires within a run: the shortest lifetime is a minute',
  insufficient_user_authentication: 'a route that asks for a recent or a stronger sign-in; there is none yet',
  forbidden: 'the access token of a client, or a route that asks for a role; there is none of them yet',
  insufficient_scope: 'a route that asks for a scope; there is none yet',
  address_blocked: '`npm run ip:block -- --cidr …`, with your address',
  account_banned: '`npm run user:ban -- --email …`, and a login with the right password',
  registration_closed: 'a start with `REGISTRATION=closed`',
  rate_limited: 'an eleventh wrong password, or an eleventh stream of one user',
  internal_error: 'a fault of Sallyport; no request is known that meets one',
  overloaded: 'more logins at once than the machine has time for',
  database_unavailable: 'a database that is down',
  revocation_stale: 'a database that is down, with `REVOCATION_ON_STALE=deny`',
} as const satisfies Partial<Record<ProblemCode, string>>

const requests: Folder = {
  name: 'Any request',
  about: 'What is refused before anybody looks at what it says.',
  steps: [
    {
      name: 'invalid_request',
      operation: 'login',
      about: 'A body that is no JSON.',
      send: { body: '{ "email": "{{email}}", ', headers: { 'Content-Type': 'application/json' } },
      answers: 'invalid_request',
    },
    {
      name: 'unsupported_media_type',
      operation: 'login',
      about: 'A body that says it is no JSON.',
      send: { body: JSON.stringify(credentials('Postman')), headers: { 'Content-Type': 'text/plain' } },
      answers: 'unsupported_media_type',
    },
    {
      name: 'payload_too_large',
      operation: 'login',
      about: 'A body of more than 16 KiB.',
      before: `pm.variables.set('too_much', 'x'.repeat(16 * 1024))`,
      send: { body: { ...credentials('Postman'), password: '{{too_much}}' } },
      answers: 'payload_too_large',
    },
    {
      name: 'validation_failed',
      operation: 'login',
      about: 'A body that does not fit. `errors` names each place.',
      send: { body: { email: 'nobody', password: 12345, mode: 'json' } },
      answers: 'validation_failed',
      checks: {
        'both places are named': `
          pm.expect(answer.errors.map(({ path }) => path)).to.have.members(['/email', '/password'])
        `,
      },
    },
    {
      name: 'not_found',
      operation: 'endSession',
      about: "A session that is not there. Somebody else's is answered in the same way.",
      send: { path: { id: '00000000-0000-4000-8000-000000000000' } },
      answers: 'not_found',
    },
    {
      name: 'method_not_allowed',
      operation: 'whoami',
      about: 'A method that this address does not have. The header `Allow` names those that it has.',
      send: { method: 'DELETE' },
      answers: 'method_not_allowed',
      checks: { 'Allow names another': `pm.expect(pm.response.headers.get('Allow')).to.include('GET')` },
    },
  ],
}

const signingIn: Folder = {
  name: 'Signing in',
  about: 'Why there is no session.',
  steps: [
    {
      name: 'email_taken',
      operation: 'register',
      about: 'The address of this tour, once more.',
      send: { body: credentials('Postman') },
      answers: 'email_taken',
    },
    {
      name: 'password_too_weak',
      operation: 'register',
      about: 'Long enough, and the first that anybody would try.',
      send: { body: { ...credentials('Postman'), email: 'new-{{$guid}}@example.com', password: 'passwordpassword' } },
      answers: 'password_too_weak',
    },
    {
      name: 'invalid_credentials',
      operation: 'login',
      about: 'A wrong password. An address that nobody has is answered in the same way.',
      send: { body: { ...credentials('Postman'), password: 'not the password of anybody' } },
      answers: 'invalid_credentials',
    },
  ],
}

const cookies: Folder = {
  name: 'Cookies',
  about: 'Mode `cookie` is for browsers. Here the cookie is kept by a script, and sent where a request says so.',
  steps: [
    {
      name: 'cross_site_request',
      operation: 'login',
      about: 'A page of another site tries to sign somebody in. `CORS_ORIGINS` lists the origins that may.',
      send: { body: { ...credentials('Browser'), mode: 'cookie' }, headers: { Origin: 'https://evil.example' } },
      answers: 'cross_site_request',
    },
    {
      name: 'Log in with a cookie',
      operation: 'login',
      about: 'The refresh token is in the cookie, and in no body.',
      send: { body: { ...credentials('Browser'), mode: 'cookie' } },
      answers: 200,
      // Another one is the device's.
      then: `const cookies = pm.response.headers.filter(({ key }) => key.toLowerCase() === 'set-cookie')
const { value } = cookies.find(({ value }) => value.includes('sallyport_rt='))
pm.collectionVariables.set('refresh_cookie', value.split(';')[0])`,
      checks: { 'the body holds no refresh token': `pm.expect(answer).to.not.have.property('refresh_token')` },
    },
    {
      name: 'ambiguous_credentials',
      operation: 'refresh',
      about: 'A cookie of one session and a body of another. Nothing is guessed, and nothing ends.',
      send: {
        bearer: null,
        headers: { Cookie: '{{refresh_cookie}}', 'X-Sallyport-CSRF': '1' },
        body: { refresh_token: '{{refresh_token}}' },
      },
      answers: 'ambiguous_credentials',
    },
    {
      name: 'Log out with the cookie',
      operation: 'logout',
      about: 'What acts by a cookie says that it means it: `X-Sallyport-CSRF: 1`, where there is no `Origin`.',
      send: { bearer: null, headers: { Cookie: '{{refresh_cookie}}', 'X-Sallyport-CSRF': '1' }, body: null },
      answers: 204,
      checks: { 'the cookie is cleared': `pm.expect(pm.response.headers.get('Set-Cookie')).to.include('Max-Age=0')` },
    },
  ],
}

const verifiers: Folder = {
  name: 'Other services',
  about: 'What a service is told that has no credential.',
  steps: [
    {
      name: 'invalid_client',
      operation: 'listRevocations',
      about:
        'Only verifiers that are listed in `VERIFIER_KEYS` may ask. The routes under `/oauth` refuse in the words of ' +
        'OAuth (RFC 6749, section 5.2) instead.',
      send: { bearer: null },
      answers: 'invalid_client',
    },
  ],
}

export const refusals: Folder = {
  name: '9. What goes wrong',
  about: [
    'A request for each code that a client can provoke by itself. Every refusal is a problem (RFC 9457): `code` is ' +
      'what a program looks at, `detail` is for people, and `type` is a page of this server about it.',
    'Not among them, and what provokes them:',
    Object.entries(unprovoked)
      .map(([code, what]) => `- \`${code}\`: ${what}.`)
      .join('\n'),
  ].join('\n\n'),
  steps: [requests, signingIn, refusedAccessTokens, refusedRefreshTokens, cookies, verifiers],
}
