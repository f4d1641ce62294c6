// The tour: what a newcomer clicks through from top to bottom, and what `npm run postman:run` sends.

import type { Folder } from './step.js'
import { accessToken } from './tour/access-token.js'
import { leaving } from './tour/leaving.js'
import { password } from './tour/password.js'
import { presence } from './tour/presence.js'
import { refresh } from './tour/refresh.js'
import { refusals } from './tour/refusals.js'
import { services } from './tour/services.js'
import { sessions } from './tour/sessions.js'
import { signIn } from './tour/sign-in.js'
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
  leaving,
]

export const introduction = `A tour of Sallyport: click through the folders from top to bottom, or run them all.

Every run registers somebody new, and the last folder deletes them again. Scripts keep the tokens in variables of the collection, and the access token is sent along by itself. It lives for 10 minutes: after \`token_expired\`, send "Refresh" in folder 4 and go on.

Mode \`json\`, in which both tokens are in the body, is what a tool such as this one uses. No cookie jar is used.

Choose the environment "Sallyport on this machine" to set these:

- \`baseUrl\`: where Sallyport listens.
- \`verifier_credential\`: for folder 7, which is skipped without it.
- \`follow_streams\`: \`yes\` for folder 8, which a run leaves out because its requests do not end.

Each request shows the answers that its operation can give under its saved examples. The same tour without Postman: \`npm run postman:run\`. More: docs/postman.md.`

/** What the collection starts with. Scripts add the rest as they go. */
export const variables = [
  { key: 'email', value: '', description: 'Made by "Register".' },
  { key: 'password', value: 'copper lantern drifts over seven hills' },
  {
    key: 'new_password',
    value: 'violet otters juggle paper lanterns',
    description: 'Changes places with the other one in "Change the password".',
  },
  { key: 'access_token', value: '', description: 'Sent along with every request that says nothing else.' },
  { key: 'refresh_token', value: '', description: 'The current one: each is used once.' },
  { key: 'session_id', value: '' },
  { key: 'attempt_key', value: '', description: 'Only while a refresh has no answer yet.' },
]
