import { flowReplySchema } from '../../wire/flow-reply.js'
import { tokenReplySchema } from '../../wire/token-reply.js'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { holdersOf, replyWithFlow } from '../flows/flows.js'
import { mountMailedCodeRoutes, type MailRoutesOptions } from './mailed-code-routes.js'
import { mountMfaRoutes } from './mfa-routes.js'
import { mountPasskeyLoginRoutes } from './passkey-routes.js'
import { loginSchema, registerSchema } from './schemas.js'
import { mountVerificationRoutes, type VerificationRoutesOptions } from './verification-routes.js'

type SignInRoutesOptions = MailRoutesOptions & VerificationRoutesOptions

/** The ways to a first pair of tokens. */
export function mountSignInRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  mountPasswordRoutes(app, options)
  mountVerificationRoutes(app, options)
  mountMailedCodeRoutes(app, options)
  mountMfaRoutes(app, options)
  mountPasskeyLoginRoutes(app, options)
}

function mountPasswordRoutes(app: AppInstance, options: SignInRoutesOptions): void {
  const { signIn, flowCookie, door } = options

  app.post(
    '/v1/auth/register',
    {
      schema: {
        operationId: 'register',
        summary: 'Register and sign in',
        description:
          'Where EMAIL_VERIFICATION is "required", the response is 202 whether or not the address is registered, and the ' +
          'account is made once the link or the code of the mail is shown to /v1/auth/verify-email. Where it is "later", ' +
          'the mail comes besides the tokens.',
        tags: ['Sign-in'],
        security: [{}],
        body: registerSchema,
        response: {
          201: tokenReplySchema,
          202: flowReplySchema,
          ...problemResponses(
            'cross_site_request',
            'registration_closed',
            'not_offered',
            'mfa_required',
            'email_taken',
            'password_too_weak',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const context = door.contextOf(reply, request.body)
      const holders = holdersOf(reply, request.body, flowCookie)
      const { tokens, flow } = await signIn.register(request.body, context, holders)
      if (tokens === null) return reply.code(202).send(replyWithFlow(reply, flow, flowCookie))
      const answer = door.reply(reply, tokens, context)
      return reply.code(201).send({ ...answer, ...(flow && { flow: replyWithFlow(reply, flow, flowCookie) }) })
    },
  )

  app.post(
    '/v1/auth/login',
    {
      schema: {
        operationId: 'login',
        summary: 'Sign in',
        tags: ['Sign-in'],
        security: [{}],
        body: loginSchema,
        response: {
          200: tokenReplySchema,
          ...problemResponses(
            'cross_site_request',
            'invalid_credentials',
            'mfa_required',
            'account_banned',
            'rate_limited',
            'database_unavailable',
          ),
        },
      },
      config: { access: 'public' },
    },
    async (request, reply) => {
      const context = door.contextOf(reply, request.body)
      const tokens = await signIn.login(request.body, context)
      return door.reply(reply, tokens, context)
    },
  )
}
