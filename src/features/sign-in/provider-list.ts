import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Providers } from '../identities/identities.js'
import { providersReplySchema } from './social-schemas.js'

export interface ProviderListOptions {
  /** Null without PROVIDERS. */
  providers: Providers | null
  publicUrl: string
}

/** Which buttons a sign-in page draws. */
export function mountProviderList(app: AppInstance, { providers, publicUrl }: ProviderListOptions): void {
  const shown = (providers?.all ?? []).map(({ id, name, preset, acceptsIdTokens }) => ({
    ...{ id, name, preset, id_tokens: acceptsIdTokens },
    href: `${publicUrl}/v1/auth/social/${id}`,
  }))

  app.get(
    '/v1/auth/providers',
    {
      schema: {
        operationId: 'listProviders',
        summary: 'List the providers with which users can sign in',
        description: 'In the order of PROVIDERS; none without it.',
        tags: ['Sign-in'],
        security: [{}],
        response: { 200: providersReplySchema },
      },
      config: { access: 'public' },
    },
    () => ({ providers: shown }),
  )
}
