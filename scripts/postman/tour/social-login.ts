import type { Folder } from '../step.js'

const path = { provider: '{{social_provider}}' }

const madeUp = 'A'.repeat(43)

/** Its requests are skipped where the list of providers is empty. */
export const ways: Folder = {
  name: 'Ways to a provider and back',
  about:
    'People sign in with a browser, at the address that the script before prints. Here are the requests around it, with ' +
    'secrets that are made up: each counts once, and only in the browser, or the app, that began.',
  needs: { variable: 'social_provider', reason: 'requires PROVIDERS' },
  steps: [
    {
      name: 'Go to a provider with a ticket',
      operation: 'startSocialSignIn',
      about: 'A ticket of `/v1/me/identities/link`; without "link", the browser is led to the provider.',
      send: { bearer: null, path, query: { link: madeUp } },
      answers: 'social_attempt_invalid',
    },
    {
      name: 'Come back from a provider',
      operation: 'finishSocialSignIn',
      about: 'The address that is registered at the provider.',
      send: { bearer: null, path, query: { state: madeUp, code: 'made-up' } },
      answers: 'social_attempt_invalid',
    },
    {
      name: 'Come back from a provider that sends a form',
      operation: 'finishSocialSignInByForm',
      about: 'Such as Apple.',
      send: { bearer: null, path, body: { state: madeUp, code: 'made-up' } },
      answers: 'social_attempt_invalid',
    },
    {
      name: 'Exchange the code of mode json',
      operation: 'exchangeSocialCode',
      about: 'The app shows the verifier, whose challenge it sent at the start.',
      send: { bearer: null, body: { code: madeUp, code_verifier: madeUp } },
      answers: 'social_attempt_invalid',
    },
    {
      name: 'Sign in with an ID token',
      operation: 'signInByIdToken',
      about: 'Of the libraries of a platform. It is issued for one of the client ids of the provider, and counts once.',
      send: { bearer: null, path, body: { id_token: 'made.up.token', mode: 'json' } },
      answers: 'id_token_invalid',
    },
    {
      name: 'A notice of the provider',
      operation: 'receiveProviderNotice',
      about:
        'Only Apple sends some: that an account there was deleted, or may not be used here any more. This provider is made up.',
      send: { bearer: null, path: { provider: 'made-up' }, body: { payload: 'made.up.token' } },
      answers: 'not_found',
    },
    {
      name: 'Link what an ID token tells',
      operation: 'linkIdentity',
      about: 'To the account of the tour. With "return_to" in its place, the response has the URL for the browser.',
      send: { body: { provider: '{{social_provider}}', id_token: 'made.up.token' } },
      answers: 'id_token_invalid',
    },
  ],
}

export const socialLogin: Folder = {
  name: '13. Social login',
  about:
    'Signing in with another provider, such as Google. Start Sallyport with `PROVIDERS`, the file of providers ' +
    '(docs/social-login.md). Without it, only the lists are sent.',
  steps: [
    {
      name: 'List the providers',
      operation: 'listProviders',
      about: 'The buttons of a sign-in page, in their order. Without `PROVIDERS` there are none.',
      send: { bearer: null },
      answers: 200,
      then: `
        const [first] = answer.providers
        pm.collectionVariables.set('social_provider', first ? first.id : '')
        if (first) console.log(first.href)
      `,
    },
    ways,
    {
      name: 'My linked accounts',
      operation: 'listIdentities',
      about: 'The accounts at providers with which this user signs in: none, because they registered with a password.',
      answers: 200,
      checks: { 'there are none': `pm.expect(answer.identities).to.eql([])` },
    },
    {
      name: 'Unlink an account',
      operation: 'unlinkIdentity',
      about: 'This id is made up. The last way to sign in cannot be removed.',
      send: { path: { id: '01900000-0000-7000-8000-000000000000' } },
      answers: 'not_found',
    },
  ],
}
