import type { ProblemCode } from '../../../src/wire/problem-codes.js'
import type { Folder } from '../step.js'
import { refusedAccessTokens, refusedRefreshTokens } from './refused-tokens.js'
import { credentials } from './sign-in.js'

/** Codes that no client can cause by itself, at least not within a run: why not, or how to cause them. */
export const unprovoked = {
  token_expired: 'access tokens do not expire within a run: the shortest lifetime is a minute',
  insufficient_user_authentication: 'a change of the address more than 15 minutes after the last authentication',
  forbidden: 'the access token of a client, or a route that requires a role; neither exists yet',
  insufficient_scope: 'a route that requires a scope; none exists yet',
  address_blocked: '`npm run ip:block -- --cidr …`, with your address',
  account_banned: '`npm run user:ban -- --email …`, and a login with the right password',
  mfa_required: 'the right password of a user with a second factor: see "Second factor"',
  last_factor: 'the removal of the only second factor, with `MFA=required`',
  flow_unbound: 'a link of a mail that is opened elsewhere',
  registration_closed: '`REGISTRATION=closed`',
  social_attempt_invalid: 'a sign-in at another provider that was used already, or begun in another browser',
  provider_response_invalid: 'an answer of another provider that is not genuine',
  id_token_invalid: 'an ID token of another provider that is not valid, or was used already',
  identity_taken: 'a link with an account at another provider that is linked to another user',
  identity_link_required: 'a first sign-in at another provider with the address of a user',
  email_required: 'a first sign-in at another provider that tells no address',
  provider_unavailable: 'another provider that does not respond',
  rate_limited: 'an eleventh wrong password, or an eleventh stream of one user',
  internal_error: 'a bug in Sallyport',
  overloaded: 'more concurrent logins than the machine can handle',
  database_unavailable: 'a database that is down',
  revocation_stale: 'a database that is down, with `REVOCATION_ON_STALE=deny`',
} as const satisfies Partial<Record<ProblemCode, string>>

const requests: Folder = {
  name: 'Any request',
  about: 'Requests that are refused before their content is processed.',
  steps: [
    {
      name: 'invalid_request',
      operation: 'login',
      about: 'A body that is not JSON.',
      send: { body: '{ "email": "{{email}}", ', headers: { 'Content-Type': 'application/json' } },
      answers: 'invalid_request',
    },
    {
      name: 'unsupported_media_type',
      operation: 'login',
      about: 'A body with a Content-Type other than JSON.',
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
      about: 'A body with invalid values. `errors` lists them.',
      send: { body: { email: 'nobody', password: 12345, mode: 'json' } },
      answers: 'validation_failed',
      checks: {
        'both values are listed': `
          pm.expect(answer.errors.map(({ path }) => path)).to.have.members(['/email', '/password'])
        `,
      },
    },
    {
      name: 'not_found',
      operation: 'endSession',
      about: "A session that does not exist. The response is the same for another user's session.",
      send: { path: { id: '00000000-0000-4000-8000-000000000000' } },
      answers: 'not_found',
    },
    {
      name: 'method_not_allowed',
      operation: 'whoami',
      about: 'A method that the URL does not support. The `Allow` header lists the supported ones.',
      send: { method: 'DELETE' },
      answers: 'method_not_allowed',
      checks: { 'Allow lists another method': `pm.expect(pm.response.headers.get('Allow')).to.include('GET')` },
    },
  ],
}

const signingIn: Folder = {
  name: 'Signing in',
  about: 'Registrations and logins that are refused.',
  steps: [
    {
      name: 'email_taken',
      operation: 'register',
      about: 'The e-mail address of this tour, again.',
      send: { body: credentials('Postman') },
      answers: 'email_taken',
    },
    {
      name: 'password_too_weak',
      operation: 'register',
      about: 'Long enough, but easy to guess.',
      send: { body: { ...credentials('Postman'), email: 'new-{{$guid}}@example.com', password: 'passwordpassword' } },
      answers: 'password_too_weak',
    },
    {
      name: 'invalid_credentials',
      operation: 'login',
      about: 'A wrong password. The response is the same for an unknown address.',
      send: { body: { ...credentials('Postman'), password: 'not the password of anybody' } },
      answers: 'invalid_credentials',
    },
    {
      name: 'last_way_in',
      operation: 'removePassword',
      about: 'Without a passkey, the password is the only way to sign in.',
      answers: 'last_way_in',
    },
  ],
}

const cookies: Folder = {
  name: 'Cookies',
  about: 'Mode `cookie` is for browsers. Here a script stores the cookie and sends it explicitly.',
  steps: [
    {
      name: 'cross_site_request',
      operation: 'login',
      about: 'A page of another site tries to sign in. Only the origins in `CORS_ORIGINS` may do so.',
      send: { body: { ...credentials('Browser'), mode: 'cookie' }, headers: { Origin: 'https://evil.example' } },
      answers: 'cross_site_request',
    },
    {
      name: 'Log in with a cookie',
      operation: 'login',
      about: 'The refresh token is in the cookie, not in the body.',
      send: { body: { ...credentials('Browser'), mode: 'cookie' } },
      answers: 200,
      // Another one is the device's.
      then: `const cookies = pm.response.headers.filter(({ key }) => key.toLowerCase() === 'set-cookie')
const { value } = cookies.find(({ value }) => value.includes('sallyport_rt='))
pm.collectionVariables.set('refresh_cookie', value.split(';')[0])`,
      checks: { 'the body contains no refresh token': `pm.expect(answer).to.not.have.property('refresh_token')` },
    },
    {
      name: 'ambiguous_credentials',
      operation: 'refresh',
      about: 'A cookie of one session and a body of another. The request is refused, and no session ends.',
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
      about: 'A request that authenticates with a cookie and has no `Origin` must send `X-Sallyport-CSRF: 1`.',
      send: { bearer: null, headers: { Cookie: '{{refresh_cookie}}', 'X-Sallyport-CSRF': '1' }, body: null },
      answers: 204,
      checks: { 'the cookie is cleared': `pm.expect(pm.response.headers.get('Set-Cookie')).to.include('Max-Age=0')` },
    },
  ],
}

const mails: Folder = {
  name: 'Mails',
  about: 'Codes and links of mails that are not valid, and what is switched off. Folder 10 has the valid ones.',
  steps: [
    {
      name: 'flow_invalid',
      operation: 'acceptInvitation',
      about:
        'The link that `npm run user:invite` mails has the token; this one is made up, because only an operator can invite, ' +
        'and the API has no route for it. `reason` says what is wrong.',
      send: { body: { token: 'spl_made_up', password: '{{password}}', mode: 'json' } },
      answers: 'flow_invalid',
      checks: { 'an unknown token counts as expired': `pm.expect(answer.reason).to.equal('expired')` },
    },
    {
      name: 'not_offered',
      operation: 'requestCode',
      about: 'Signing in by mail is offered only with `SIGN_IN_METHODS=password,otp`.',
      send: { body: { email: '{{email}}', mode: 'json' } },
      answers: 'not_offered',
    },
    {
      name: 'not_offered, with a code',
      operation: 'verifyCode',
      about: 'The second half: the code of the mail, with the flow token of the request before.',
      send: { body: { code: '1234 5678', flow_token: 'spf_made_up' } },
      answers: 'not_offered',
    },
  ],
}

const verifiers: Folder = {
  name: 'Other services',
  about: 'Requests of services without a valid credential.',
  steps: [
    {
      name: 'invalid_client',
      operation: 'listRevocations',
      about:
        'Only verifiers listed in `VERIFIER_KEYS` have access. The routes under `/oauth` return OAuth errors ' +
        '(RFC 6749, section 5.2) instead.',
      send: { bearer: null },
      answers: 'invalid_client',
    },
  ],
}

export const refusals: Folder = {
  name: '9. Problems',
  about: [
    'One request for each code that a client can cause. Each error is a problem (RFC 9457): `code` is for programs, ' +
      '`detail` is for people, and `type` is the URL of a page about it.',
    'Not included, with their causes:',
    Object.entries(unprovoked)
      .map(([code, what]) => `- \`${code}\`: ${what}.`)
      .join('\n'),
  ].join('\n\n'),
  steps: [requests, signingIn, refusedAccessTokens, refusedRefreshTokens, cookies, mails, verifiers],
}
