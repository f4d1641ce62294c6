import { tokenReplySchema } from '../../wire/token-reply.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { Door } from '../browser/browser.js'
import { requestOptionsReplySchema } from '../passkeys/passkeys.js'
import { passkeyLoginSchema } from './schemas.js'
import type { SignIn } from './sign-in.js'

export interface PasskeyLoginRoutesOptions {
  signIn: Pick<SignIn, 'passkeyLogin'>
  door: Door
}

/** Signing in with a passkey alone. */
export function mountPasskeyLoginRoutes(
  app: AppInstance,
  { signIn: { passkeyLogin }, door }: PasskeyLoginRoutesOptions,
): void {
  app.post(
    '/v1/auth/passkey/options',
    {
      schema: {
        operationId: 'getPasskeyOptions',
        summary: 'Get the options for a sign-in with a passkey',
        description:
          'For `PublicKeyCredential.parseRequestOptionsFromJSON`, also with conditional mediation. They name no user and no ' +
          'passkey, and are valid for five minutes. Nothing is stored.',
        tags: ['Sign-in'],
        security: [{}],
        response: { 200: requestOptionsReplySchema, ...problemResponses('cross_site_request') },
      },
      config: { access: 'public' },
    },
    async () => ({ options: await passkeyLogin.requestOptions() }),
  )

  app.post(
    '/v1/auth/passkey',
    {
      schema: {
        operationId: 'loginWithPasskey',
        summary: 'Sign in with a passkey',
        description:
          'The passkey has to verify its user, by a PIN or a fingerprint, and is then two factors by itself: no second one ' +
          'is asked for. The response is the same for all that is wrong with it, but for "unknown_credential": true where no ' +
          'such passkey is registered, so that the browser can be told to forget it (`signalUnknownCredential`).',
        tags: ['Sign-in'],
        security: [{}],
        body: passkeyLoginSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses(
            'cross_site_request',
            'invalid_credentials',
            'account_banned',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const { body } = request
      const { tokens, context } = await passkeyLogin.login(body, door.requesterOf(reply), ({ email }) =>
        door.contextOf(reply, { ...body, email }),
      )
      return door.reply(reply, tokens, context)
    },
  )
}
