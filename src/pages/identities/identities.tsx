import type { FastifyReply } from 'fastify'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { SocialCookie } from '../../features/browser/browser.js'
import type { Providers } from '../../features/identities/identities.js'
import { forUsers, forUsersRecent } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { linkedPath } from '../return-to.js'
import { LeavePage, LinkPage, UnlinkPage } from './identity-pages.js'

export interface IdentityPagesOptions {
  /** Those of PROVIDERS; null where it is not set. */
  providers: Providers | null
  socialCookie: SocialCookie
}

interface OfProvider {
  Params: { provider: string }
}

interface OfIdentity {
  Params: { id: string }
}

/** /account/identities: what users do to the accounts at other providers with which they sign in. */
export function mountIdentities(scope: AppInstance, tools: PageTools, options: IdentityPagesOptions): void {
  mountLink(scope, tools, options)
  mountUnlink(scope, tools)
}

function mountLink(scope: AppInstance, tools: PageTools, { providers, socialCookie }: IdentityPagesOptions): void {
  const { rendering, account, ownIdentities } = tools

  function requireProvider(id: string) {
    const provider = providers?.find(id) ?? null
    if (provider === null) throw new Problem('not_found')
    return provider
  }

  scope.get<OfProvider>('/account/identities/link/:provider', forUsersRecent, async (request, reply) => {
    const provider = requireProvider(request.params.provider)
    const { email } = await account.read(claimsOf(request).sub)
    return rendering.send(reply, <LinkPage provider={provider} email={email} />)
  })

  scope.post<OfProvider>('/account/identities/link/:provider', forUsersRecent, async (request, reply) => {
    const { id, name, responseMode } = requireProvider(request.params.provider)
    const browserHash = socialCookie.ensure(reply, { byPost: responseMode === 'form_post' })
    const to = { provider: id, returnTo: linkedPath, browserHash }
    const ticket = await ownIdentities.createTicket(ownerOf(reply), to)
    const query = new URLSearchParams({ link: ticket }).toString()
    const target = `${scope.basePath}/v1/auth/social/${encodeURIComponent(id)}?${query}`
    return rendering.send(reply, <LeavePage name={name} target={target} />, { hasAddress: false })
  })

  // The browser comes back here from the provider.
  scope.get(linkedPath, forUsers, (_request, reply) => rendering.redirect(reply, '/account?done=identity_linked'))
}

function mountUnlink(scope: AppInstance, tools: PageTools): void {
  const { rendering, ownIdentities, families } = tools

  async function requireOwn(reply: FastifyReply, id: string) {
    const identities = await ownIdentities.list(claimsOf(reply.request).sub)
    const identity = identities.find((each) => each.id === id)
    if (identity === undefined) throw new Problem('not_found')
    const { sub, sid } = claimsOf(reply.request)
    const { family } = await families.findSession(sub, sid)
    return { identity, isHere: family.identityId === identity.id }
  }

  scope.get<OfIdentity>('/account/identities/:id', forUsersRecent, async (request, reply) =>
    rendering.send(reply, <UnlinkPage {...await requireOwn(reply, request.params.id)} />),
  )

  scope.post<OfIdentity>('/account/identities/:id/unlink', forUsersRecent, async (request, reply) => {
    const own = await requireOwn(reply, request.params.id)
    try {
      await ownIdentities.unlink(ownerOf(reply), own.identity.id)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      return rendering.send(reply, <UnlinkPage {...own} errors={errors} />, { status })
    }
    return rendering.redirect(reply, '/account?done=identity_unlinked')
  })
}

function ownerOf({ request }: FastifyReply) {
  const { sub: userId, sid: sessionId } = claimsOf(request)
  return { userId, sessionId, caller: callerOf(request) }
}
