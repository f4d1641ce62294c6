import type Provider from 'oidc-provider'
import type { Interaction } from 'oidc-provider'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { UserClaims } from '../../../wire/claims.js'
import { callerOf } from '../../../platform/http/caller.js'
import { uuidv7 } from '../../../platform/uuid.js'
import { documentHostOf } from '../../clients/clients.js'
import { openIdScopes } from '../scopes.js'
import * as store from '../store.js'
import type { ProviderContext } from './context.js'
import { loginDetails } from './policy.js'

/** What a user has to do before a client gets an answer. */
export type LoginStep =
  /** It is done: the browser goes there, by way of the provider to the client; or, of a device, to a page of ours. */
  | { step: 'done'; target: string; clientName: string; isForDevice: boolean }
  /** The user signs in, or signs in as another. */
  | { step: 'sign_in'; isAnother: boolean; loginHint: string | null; uiLocales: string | null }
  /** The signed-in user shows once more who they are. */
  | { step: 'reauthenticate'; uiLocales: string | null }

/** What a client asks a user for. */
export interface ConsentRequest {
  clientName: string
  /** The host that answers for the client, where its id is the address of its metadata document; null otherwise. */
  documentHost: string | null
  /** The host to which the browser returns, or the scheme of an app; null for a device, to which none returns. */
  returnsTo: string | null
  scopes: readonly string[]
  /** The resources of which it asks for scopes. */
  resources: readonly { name: string; scopes: readonly string[] }[]
  uiLocales: string | null
}

/** The interactions of the provider with users, by the cookie that the browser has for each. Null where there is none. */
export interface Interactions {
  login(request: FastifyRequest, reply: FastifyReply, session: UserClaims | null): Promise<LoginStep | null>
  consent(request: FastifyRequest, reply: FastifyReply, session: UserClaims): Promise<ConsentRequest | null>
  /** Grants or refuses what the client asks for; returns where the browser goes. */
  decide(
    request: FastifyRequest,
    reply: FastifyReply,
    session: UserClaims,
    isGranted: boolean,
  ): Promise<{ target: string; clientName: string; isForDevice: boolean } | null>
}

const parameters = z.object({
  client_id: z.string(),
  redirect_uri: z.string().optional(),
  ui_locales: z.string().optional(),
})

const consentDetails = z.object({
  missingOIDCScope: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})

/** The reasons for which another user has to sign in. */
const otherUserReasons = ['id_token_hint', 'claims_id_token_sub_value']

export function createInteractions(context: ProviderContext, current: () => Provider): Interactions {
  const { audit, clients, clock, database, library } = context

  async function find({ raw }: FastifyRequest, reply: FastifyReply, prompt: string): Promise<Interaction | null> {
    try {
      const interaction = await current().interactionDetails(raw, reply.raw)
      return interaction.prompt.name === prompt ? interaction : null
    } catch (error) {
      if (error instanceof library.errors.SessionNotFound) return null
      throw error
    }
  }

  async function nameOf(clientId: string): Promise<string> {
    return (await clients.find(clientId))?.name ?? clientId
  }

  /** Of a session that belongs to the user whom the client asks: another may have signed in meanwhile. */
  async function findConsent(request: FastifyRequest, reply: FastifyReply, session: UserClaims) {
    const interaction = await find(request, reply, 'consent')
    return interaction?.session?.accountId === session.sub ? interaction : null
  }

  return {
    async login(request, reply, session) {
      const interaction = await find(request, reply, 'login')
      if (interaction === null) return null
      const { prompt, params } = interaction
      const { client_id: clientId, ui_locales: uiLocales = null } = parameters.parse(params)
      const before = loginDetails.parse(prompt.details)
      const isAnother = prompt.reasons.some((reason) => otherUserReasons.includes(reason))
      const loginHint = before.login_hint ?? null
      if (session === null) return { step: 'sign_in', isAnother: false, loginHint, uiLocales }
      const isNew = session.sid !== before.session
      if (!isNew && isAnother) return { step: 'sign_in', isAnother, loginHint, uiLocales }
      // Both are whole seconds: a user who confirms within the second of the sign-in is asked once more.
      if (!isNew && session.auth_time <= (before.authenticated_at ?? 0)) return { step: 'reauthenticate', uiLocales }

      if (isNew && interaction.session !== undefined) {
        // The interaction began in a session that this one has replaced.
        delete interaction.session
        await interaction.persist()
      }
      const { sub: accountId, auth_time: ts, amr, acr } = session
      const login = { accountId, ts, amr: [...amr], ...(acr !== undefined && { acr }) }
      const target = await current().interactionResult(request.raw, reply.raw, { login })
      return { step: 'done', target, clientName: await nameOf(clientId), isForDevice: isForDevice(interaction) }
    },

    async consent(request, reply, session) {
      const interaction = await findConsent(request, reply, session)
      if (interaction === null) return null
      const params = parameters.parse(interaction.params)
      const { missingOIDCScope, missingResourceScopes } = consentDetails.parse(interaction.prompt.details)
      return {
        clientName: await nameOf(params.client_id),
        documentHost: documentHostOf(params.client_id),
        returnsTo: placeOf(params.redirect_uri),
        scopes: missingOIDCScope,
        resources: await Promise.all(
          Object.entries(missingResourceScopes).map(async ([identifier, scopes]) => ({
            name: (await clients.resources.find(identifier))?.name ?? identifier,
            scopes: scopes.filter((scope) => !openIdScopes.includes(scope)),
          })),
        ),
        uiLocales: params.ui_locales ?? null,
      }
    },

    async decide(request, reply, session, isGranted) {
      const interaction = await findConsent(request, reply, session)
      if (interaction === null) return null
      const { client_id: clientId } = parameters.parse(interaction.params)
      const { sub: userId, sid: sessionId } = session
      const event = isGranted ? 'oauth_consent_given' : 'oauth_consent_refused'
      const about = { actor: { kind: 'user' as const, id: userId }, caller: callerOf(request), userId, sessionId }
      if (isGranted) await grant(userId, clientId, consentDetails.parse(interaction.prompt.details))
      await database.query((client) => audit.record(client, { event, ...about, detail: { client_id: clientId } }))
      const result = isGranted
        ? { consent: {} }
        : { error: 'access_denied', error_description: 'The user refused the request' }
      const target = await current().interactionResult(request.raw, reply.raw, result)
      return { target, clientName: await nameOf(clientId), isForDevice: isForDevice(interaction) }
    },
  }

  /** Adds to what the user has granted to the client before. */
  async function grant(userId: string, clientId: string, added: z.output<typeof consentDetails>): Promise<void> {
    const provider = current()
    const key = { userId, clientId }
    const stored = await database.query((client) => store.findGrant(client, key, clock.shiftMs))
    const granted = new provider.Grant({ accountId: userId, clientId })
    granted.jti = stored?.id ?? uuidv7()
    granted.addOIDCScope(
      [...(stored?.scope.split(' ') ?? []), ...added.missingOIDCScope].filter((scope) => scope !== ''),
    )
    for (const [identifier, scope] of Object.entries(stored?.resources ?? {}))
      granted.addResourceScope(identifier, scope)
    for (const [identifier, scopes] of Object.entries(added.missingResourceScopes)) {
      granted.addResourceScope(identifier, scopes)
    }
    await granted.save()
  }
}

function isForDevice({ deviceCode }: Interaction): boolean {
  return deviceCode !== undefined
}

/** What a user can recognize an application by. */
function placeOf(redirectUri: string | undefined): string | null {
  if (redirectUri === undefined) return null
  const { host, protocol } = new URL(redirectUri)
  return host === '' ? protocol : host
}
