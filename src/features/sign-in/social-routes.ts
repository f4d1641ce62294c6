import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { readFormBodies } from '../../platform/http/form-body.js'
import { noContent, problemResponses } from '../../platform/http/problem-responses.js'
import type { CarriedCookies, Door, FlowCookie, SocialCookie } from '../browser/browser.js'
import type { BegunFlow } from '../flows/flows.js'
import type { ReturningContext, SocialBrowser, SocialEnding, SocialFlow } from './social-flow.js'
import { providerParams, socialCallbackSchema, socialStartSchema } from './social-schemas.js'

export interface SocialRoutesOptions {
  social: SocialFlow
  socialCookie: SocialCookie
  flowCookie: FlowCookie
  door: Door
}

const pendingSchema = z.object({
  mfa_token: z.string(),
  methods: z.array(z.string()),
  enroll: z.array(z.string()).optional(),
})

/** What can be shown, or has to be enrolled, as `mfa_required` says it. */
type PendingFactor = Pick<z.output<typeof pendingSchema>, 'methods' | 'enroll'>

/** The pages to which a browser is led that has more to do before there is a session. */
export interface FurtherSteps {
  /** Where a second factor is shown, before the browser goes back. The cookie of flows has the token of the step. */
  secondFactor: (returnTo: string, pending: PendingFactor) => string
  /** Where the address is confirmed. */
  confirmation: (reply: FastifyReply, flow: BegunFlow, returnTo: string) => string
  /** Where a person goes who said no at the provider; null for the way back itself, which is told so. */
  denial: (returnTo: string, provider: string) => string | null
}

/** Of providers that put signed tokens, or long codes, into the address. */
const MAX_URL_LENGTH = 8192

const formsOfProviders = {
  allowedBecause:
    'A provider answers with a form of its own page; the state has to be one that this browser began with.',
}

const shared = { tags: ['Sign-in'], security: [{}] }

const endings = {
  303: noContent('To "return_to", or to the page of a second step.'),
  ...problemResponses(
    'not_found',
    'social_attempt_invalid',
    'provider_response_invalid',
    'account_banned',
    'registration_closed',
    'identity_link_required',
    'identity_taken',
    'email_required',
    'session_ended',
    'rate_limited',
    'provider_unavailable',
    'database_unavailable',
  ),
}

/** A browser's way to a provider and back. Without pages, it goes back to the application for every further step. */
export function mountSocialRoutes(
  app: AppInstance,
  options: SocialRoutesOptions,
  steps: FurtherSteps = stepsOfApplication,
): void {
  mountStart(app, options)
  mountCallback(app, options, steps)
}

function mountStart(app: AppInstance, { social, socialCookie, flowCookie, door }: SocialRoutesOptions): void {
  app.get(
    '/v1/auth/social/:provider',
    {
      schema: {
        ...shared,
        operationId: 'startSocialSignIn',
        summary: 'Sign in at another provider',
        description:
          'For a link or a button, not for a script: leads the browser to the provider, and from there to "return_to". Only ' +
          'with PROVIDERS.',
        params: providerParams,
        querystring: socialStartSchema,
        response: {
          303: noContent('To the provider.'),
          ...problemResponses(
            'not_found',
            'social_attempt_invalid',
            'rate_limited',
            'provider_unavailable',
            'database_unavailable',
          ),
        },
      },
      exposeHeadRoute: false,
      config: { access: 'public' },
    },
    async (request, reply) => {
      const url = await social.start(request.params.provider, request.query, {
        ...browserOf(reply, { door, socialCookie }),
        bind: (how) => socialCookie.ensure(reply, how),
        carried: { ...door.carriedBy(request), flow: flowCookie.read(request) },
      })
      return reply.redirect(url.href, 303)
    },
  )
}

function mountCallback(app: AppInstance, options: SocialRoutesOptions, steps: FurtherSteps): void {
  const { social } = options

  /** Where the browser goes. */
  async function finish(reply: FastifyReply, provider: string, parameters: URLSearchParams): Promise<string> {
    const contextOf: ReturningContext = (wish, carried) => options.door.contextOf(reply, wish, carriedFrom(carried))
    const ending = await social.finish(provider, parameters, browserOf(reply, options), contextOf)
    const target = targetOf(reply, { ...ending, provider }, options, steps)
    return target.startsWith('/') ? reply.server.basePath + target : target
  }

  app.get(
    '/v1/auth/social/:provider/callback',
    {
      schema: {
        ...shared,
        operationId: 'finishSocialSignIn',
        summary: 'Come back from another provider',
        description:
          'The address to register at the provider. Counts once, in the browser that began. A person who says no at the ' +
          'provider goes to "return_to" with error=access_denied; in mode json, the browser goes there with a "code". What ' +
          'else is refused is answered with a problem, or with a page where a browser asks.',
        params: providerParams,
        querystring: socialCallbackSchema,
        response: endings,
      },
      exposeHeadRoute: false,
      config: { access: 'public', maxUrlLength: MAX_URL_LENGTH },
    },
    async (request, reply) => {
      const parameters = new URL(request.url, 'http://localhost').searchParams
      return reply.redirect(await finish(reply, request.params.provider, parameters), 303)
    },
  )

  void app.register((scope: AppInstance, _options, done) => {
    readFormBodies(scope)
    scope.post(
      '/v1/auth/social/:provider/callback',
      {
        schema: {
          ...shared,
          operationId: 'finishSocialSignInByForm',
          summary: 'Come back from a provider that answers with a form',
          description: 'Such as Apple (response_mode=form_post). The same as by GET.',
          consumes: ['application/x-www-form-urlencoded'],
          params: providerParams,
          body: socialCallbackSchema,
          response: endings,
        },
        config: { access: 'public', crossSite: formsOfProviders },
      },
      async (request, reply) => {
        const fields = Object.entries(request.body).map(([name, value]) => [name, String(value)])
        return reply.redirect(await finish(reply, request.params.provider, new URLSearchParams(fields)), 303)
      },
    )
    done()
  })
}

function browserOf(
  reply: FastifyReply,
  { door, socialCookie }: Pick<SocialRoutesOptions, 'door' | 'socialCookie'>,
): SocialBrowser {
  return { requester: door.requesterOf(reply), hashes: socialCookie.read(reply.request) }
}

/** What the browser left with, of that which the door asks for. */
function carriedFrom(carried: SocialEnding['carried']): CarriedCookies {
  return { refresh: carried['refresh'] ?? [], device: carried['device'] ?? [] }
}

/** Where a sign-in leads. Its cookies are set before. */
function targetOf(
  reply: FastifyReply,
  { outcome, returnTo, carried, provider }: SocialEnding & { provider: string },
  { door, flowCookie }: SocialRoutesOptions,
  steps: FurtherSteps,
): string {
  if (outcome === null) return returnTo
  if ('denied' in outcome) {
    return steps.denial(returnTo, provider) ?? withParameters(returnTo, { error: 'access_denied' })
  }
  if ('code' in outcome) return withParameters(returnTo, { code: outcome.code })
  if ('problem' in outcome) {
    const pending = pendingSchema.parse(outcome.problem.options.members)
    flowCookie.add(reply, pending.mfa_token, carried['flow'] ?? [])
    return steps.secondFactor(returnTo, pending)
  }
  if (outcome.tokens === null) {
    flowCookie.add(reply, outcome.flow.token, carried['flow'] ?? [])
    return steps.confirmation(reply, outcome.flow, returnTo)
  }
  door.reply(reply, outcome.tokens, outcome.context)
  return returnTo
}

/** A page of the application that goes on by the API is told what there is to show. */
const stepsOfApplication: FurtherSteps = {
  secondFactor: (returnTo, { methods, enroll }) =>
    withParameters(returnTo, {
      ...{ error: 'mfa_required', methods: methods.join(',') },
      ...(enroll && { enroll: enroll.join(',') }),
    }),
  confirmation: (_reply, _flow, returnTo) => withParameters(returnTo, { error: 'confirmation_required' }),
  denial: () => null,
}

/** None of the values has characters to encode. */
function withParameters(url: string, parameters: Record<string, string>): string {
  const added = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
  return `${url}${url.includes('?') ? '&' : '?'}${added.join('&')}`
}
