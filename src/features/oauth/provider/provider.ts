/**
 * The OpenID provider: `oidc-provider` speaks the protocol, and tokens, sessions, keys, clients and revocation are ours. It
 * is loaded only where it is turned on.
 */
import type { EventEmitter } from 'node:events'
import type { Context } from 'koa'
import type Provider from 'oidc-provider'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserClaims } from '../../../wire/claims.js'
import { basePathOf } from '../../../platform/http/base-path.js'
import { callerOf } from '../../../platform/http/caller.js'
import { genuineCookies } from '../../browser/browser.js'
import { createConfiguration } from './configuration.js'
import type { ProviderContext, ProviderOptions } from './context.js'
import { createFastLane } from './fast-lane.js'
import { implyConsent } from './implied-consent.js'
import { createInteractions, type Interactions } from './interactions.js'
import { loadLibrary } from './library.js'
import { issueOurTokens } from './models.js'
import { oidcOf } from './oidc-context.js'
import { createRequestStates, type ProviderPage } from './request-state.js'
import { followBrowserSession } from './session.js'

export interface OpenIdProvider {
  /**
   * Lets the library answer a request, unless it is one for the fast lane. `session` is the browser's; null for none, and for routes that do not act for one.
   * Returns a page that is to be shown in its place; null where the response is on its way.
   */
  answer(request: FastifyRequest, reply: FastifyReply, session: UserClaims | null): Promise<ProviderPage | null>
  readonly interactions: Interactions
}

/** Loads the library and makes the provider. The keys must be loaded. */
export async function createOpenIdProvider(options: ProviderOptions): Promise<OpenIdProvider> {
  const library = await loadLibrary(options.log)
  const states = createRequestStates()
  const state = () => states.of(library.default.ctx?.req)
  const context: ProviderContext = { ...options, library, states, state }
  const current = createCurrentProvider(context)
  const fastLane = createFastLane(context, () => current().provider)

  return {
    async answer(request, reply, session) {
      const begun = states.begin(request, reply, session)
      const isForTokens = request.method === 'POST' && request.routeOptions.url === '/oauth/token'
      if (isForTokens && (await fastLane.answer(begun))) return null
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value)
      }
      request.raw.url = implyConsent(urlOf(request))
      await current().callback(request.raw, reply.raw)
      return begun.page
    },

    interactions: createInteractions(context, () => current().provider),
  }
}

/** The library compares paths as text; a route answers every spelling of its path, such as `/%6fauth/token`. */
function urlOf({ raw, routeOptions }: FastifyRequest): string {
  const { url = '' } = raw
  const path = routeOptions.url ?? ''
  return path.includes(':') ? url : path + url.slice(url.split('?', 1)[0]?.length)
}

interface Current {
  provider: Provider
  callback: ReturnType<Provider['callback']>
}

/** The library's key set is fixed when it is made, so each change of the keys makes another. */
function createCurrentProvider(context: ProviderContext): () => Current {
  let made: (Current & { kids: string }) | null = null
  return () => {
    const kids = context.keys
      .idTokenKeys()
      .map(({ kid }) => kid)
      .join()
    if (made?.kids !== kids) {
      const provider = makeProvider(context)
      made = { kids, provider, callback: provider.callback() }
    }
    return made
  }
}

function makeProvider(context: ProviderContext): Provider {
  const { library, log, settings, states } = context
  const provider = new library.default(settings.issuer, createConfiguration(context))
  const { protocol, host } = new URL(settings.publicUrl)
  const basePath = basePathOf(settings.publicUrl)

  // Its own addresses are those of PUBLIC_URL, whatever a request says it was sent to.
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
  })
  Object.assign(provider.context, { mountPath: basePath })

  provider.on('server_error', (ctx, error) => {
    const { request } = states.of(ctx.req) ?? {}
    if (!isUnavailable(error)) (request?.log ?? log).error({ err: error }, 'the OpenID provider failed')
  })
  const emitter: EventEmitter = provider
  emitter.on('error', (error: unknown) => log.error({ err: error }, 'the OpenID provider failed'))
  // Up to here, the response can still be another one, such as that of a handler that takes too long.
  provider.use(async (ctx, next) => {
    await next()
    await signOut(context, ctx)
    if (ctx.respond !== false) states.of(ctx.req)?.reply.hijack()
  })
  followBrowserSession(provider, context)
  issueOurTokens(provider, context)
  return provider
}

/** Ends the browser's session, and with it what clients were given in it, once the user has confirmed the logout. */
async function signOut({ states, families, cookies }: ProviderContext, ctx: Context): Promise<void> {
  const oidc = oidcOf(ctx)
  const state = states.of(ctx.req)
  const isConfirmed = oidc?.route === 'end_session_confirm' && oidc.params?.['logout'] !== undefined
  if (!state?.session || !isConfirmed || ctx.status !== 303) return
  const { request, reply, session } = state
  const refreshTokens = genuineCookies(request, { cookies, parse: families.parse })
  await families.logout({ refreshTokens, sessionIds: [session.sid] }, callerOf(request))
  cookies.clear(request, reply)
}

function isUnavailable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 503
}
