// The tour: the requests that a new user sends from top to bottom, and that `npm run postman:run` sends.

import type { Folder } from './step.js'
import { accessToken } from './tour/access-token.js'
import { applications } from './tour/applications.js'
import { leaving } from './tour/leaving.js'
import { mails } from './tour/mails.js'
import { password } from './tour/password.js'
import { presence } from './tour/presence.js'
import { refresh } from './tour/refresh.js'
import { refusals } from './tour/refusals.js'
import { secondFactor } from './tour/second-factor.js'
import { services } from './tour/services.js'
import { sessions } from './tour/sessions.js'
import { signIn } from './tour/sign-in.js'
import { socialLogin } from './tour/social-login.js'
import { streams } from './tour/streams.js'

export const tour: Folder[] = [
  presence,
  signIn,
  accessToken,
  refresh,
  sessions,
  password,
  services,
  streams,
  refusals,
  mails,
  secondFactor,
  applications,
  socialLogin,
  leaving,
]

export const introduction = `A tour of Sallyport: send the requests from top to bottom, or run the whole collection.

Each run registers a new user, and the last folder deletes the user. Scripts store the tokens in collection variables, and the access token is sent automatically. It expires after 10 minutes: on \`token_expired\`, send "Refresh" in folder 4 and continue.

The collection uses mode \`json\`, with both tokens in the body, and no cookie jar.

Choose the environment "Sallyport on this machine" to set these:

- \`baseUrl\`: the URL of Sallyport.
- \`verifier_credential\`: for folder 7, which is skipped without it.
- \`development_inbox\`: \`yes\` for folder 10; clear it where Sallyport sends its mails.
- \`oauth_client_id\`, \`oauth_client_secret\`, \`oauth_redirect_uri\`: of a client, for folder 12, which is skipped without them and with \`OAUTH=off\`.
- \`follow_streams\`: \`yes\` for folder 8, which a run skips because its requests do not end.

The saved examples of each request show all responses of the operation. To run the tour without Postman: \`npm run postman:run\`. See docs/postman.md.`

/** The initial variables of the collection. Scripts add the others during a run. */
export const variables = [
  { key: 'email', value: '', description: 'Set by "Register".' },
  { key: 'password', value: 'copper lantern drifts over seven hills' },
  {
    key: 'new_password',
    value: 'violet otters juggle paper lanterns',
    description: 'Swapped with `password` by "Change the password".',
  },
  { key: 'access_token', value: '', description: 'Sent with every request that does not override the authorization.' },
  { key: 'refresh_token', value: '', description: 'The current refresh token; each can be used once.' },
  { key: 'session_id', value: '' },
  { key: 'factor_id', value: '' },
  { key: 'totp_secret', value: '', description: 'Of the authenticator app; scripts compute its codes.' },
  { key: 'totp_code', value: '' },
  { key: 'mfa_token', value: '', description: 'Sent with the second factor.' },
  { key: 'flow_token', value: '', description: 'Sent together with the code of a mail.' },
  { key: 'oauth_provider', value: '', description: 'Set by "Discovery" where folder 12 can be sent.' },
  { key: 'oauth_registration', value: '', description: 'Set by "Discovery" where applications may register themselves.' },
  { key: 'social_provider', value: '', description: 'Set by "List the providers" where there is one.' },
  { key: 'attempt_key', value: '', description: 'Set while a refresh is waiting for its response.' },
]
