import type { Folder } from '../step.js'
import { credentials } from './sign-in.js'

export const refusedAccessTokens: Folder = {
  name: 'Access tokens',
  about: 'A client refreshes on `token_expired`, `token_stale` and `token_invalid`, and logs in on `session_ended`.',
  steps: [
    {
      name: 'token_missing',
      operation: 'whoami',
      about: 'No access token.',
      send: { bearer: null },
      answers: 'token_missing',
    },
    {
      name: 'token_invalid',
      operation: 'whoami',
      about: 'A token with an invalid signature.',
      send: { bearer: '{{access_token}}AA' },
      answers: 'token_invalid',
    },
    {
      name: 'token_stale',
      operation: 'whoami',
      about:
        'The token issued before the password change in folder 6. Once it has expired, the code is `token_expired`.',
      send: { bearer: '{{stale_access_token}}' },
      answers: 'token_stale',
    },
  ],
}

/** A script in which the other tab refreshes repeatedly, each time with the successor. */
function refreshInOtherTab(times: number): string {
  return `
    const refresh = (times) => {
      if (times === 0) return
      const request = {
        url: pm.variables.replaceIn('{{baseUrl}}/v1/auth/refresh'),
        method: 'POST',
        header: { 'Content-Type': 'application/json', 'Idempotency-Key': pm.variables.replaceIn('{{$guid}}') },
        body: { mode: 'raw', raw: pm.variables.replaceIn('{ "refresh_token": "{{tab_refresh_token}}" }') },
      }
      pm.sendRequest(request, (error, response) => {
        if (error) throw error
        pm.expect(response.code).to.equal(200)
        pm.collectionVariables.set('tab_refresh_token', response.json().refresh_token)
        refresh(times - 1)
      })
    }
    refresh(${times})
  `
}

export const refusedRefreshTokens: Folder = {
  name: 'Refresh tokens',
  about: 'Two browser tabs share a session, and an attacker has copied its first refresh token.',
  steps: [
    {
      name: 'refresh_token_missing',
      operation: 'refresh',
      about: 'No token, neither in the body nor in a cookie.',
      send: { bearer: null, body: {} },
      answers: 'refresh_token_missing',
    },
    {
      name: 'refresh_token_invalid',
      operation: 'refresh',
      about: 'A token that Sallyport never issued. The database is not asked.',
      send: { bearer: null, body: { refresh_token: 'spr_made-up' } },
      answers: 'refresh_token_invalid',
    },
    {
      name: 'Log in with two tabs',
      operation: 'login',
      about: 'Opens a separate session, because it is going to end.',
      send: { body: credentials('Two tabs') },
      answers: 200,
      keeps: {
        tab_access_token: 'access_token',
        tab_refresh_token: 'refresh_token',
        first_tab_refresh_token: 'refresh_token',
      },
    },
    {
      name: 'refresh_superseded',
      operation: 'refresh',
      about:
        'Both tabs refresh at once, and the other one finishes first (in the pre-request script). This one gets no token; ' +
        'it reads the successor from the shared storage of the tabs.',
      before: refreshInOtherTab(1),
      send: {
        bearer: null,
        headers: { 'Idempotency-Key': '{{$guid}}' },
        body: { refresh_token: '{{first_tab_refresh_token}}' },
      },
      answers: 'refresh_superseded',
      checks: { 'it says when to try again': `pm.expect(pm.response.headers.get('Retry-After')).to.equal('1')` },
    },
    {
      name: 'refresh_token_reused',
      operation: 'refresh',
      about:
        'An attacker uses the first token after the tabs have refreshed nine times (in the pre-request script). The session ' +
        'ends. Within 10 seconds and eight refreshes, it could be a tab that lost the race.',
      before: refreshInOtherTab(8),
      send: { bearer: null, body: { refresh_token: '{{first_tab_refresh_token}}' } },
      answers: 'refresh_token_reused',
    },
    {
      name: 'session_ended',
      operation: 'refresh',
      about: 'For the owner too: the server cannot tell which of the two is the attacker. `reason` says what happened.',
      send: { bearer: null, body: { refresh_token: '{{tab_refresh_token}}' } },
      answers: 'session_ended',
      reason: 'reuse_detected',
    },
    {
      name: 'session_ended, for the access token',
      operation: 'whoami',
      about: 'It is refused although it has not expired. The reason is not known without a query.',
      send: { bearer: '{{tab_access_token}}' },
      answers: 'session_ended',
    },
  ],
}
