import { Auth } from '@auth/core'

/** Answers the requests below /auth. Next.js, SvelteKit and Express take the same settings, by their packages. */
export function createApp({ issuer, clientId, clientSecret, secret }) {
  return (request) =>
    Auth(request, {
      basePath: '/auth',
      secret,
      trustHost: true,
      providers: [
        {
          id: 'sallyport',
          name: 'Sallyport',
          type: 'oidc',
          issuer,
          clientId,
          clientSecret,
          checks: ['pkce', 'state', 'nonce'],
        },
      ],
    })
}
