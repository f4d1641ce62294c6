import type { Adapter, AdapterPayload, Grant, KoaContextWithOIDC } from 'oidc-provider'
import { z } from 'zod'
import { uuidv7 } from '../../../platform/uuid.js'
import { isOpenIdScope, parseScope } from '../scopes.js'
import * as store from '../store.js'
import { ownMetadataOf } from './client.js'
import type { ProviderContext } from './context.js'
import type { GrantSource } from './request-state.js'

/** The grant of every first-party client: its users are asked nothing, so nothing is stored. */
export const FIRST_PARTY_GRANT = 'first_party'

/** For the library, which refuses to refresh what was granted too long ago. Only consent expires here. */
const UNEXPIRED_SECONDS = 3600

/**
 * Grants. A token is given for what its code or its family tells; the table is only asked whether a user has to consent, so
 * that consent which has expired ends no session.
 */
export function createGrantAdapter(context: ProviderContext): Adapter {
  const { database, clock, settings } = context
  const unneeded = () => Promise.reject(new Error('A grant is found by its user and its client.'))
  return {
    find: (id) => {
      const source = context.state()?.source
      return Promise.resolve(source ? toPayload(id, source) : undefined)
    },

    async upsert(id, { accountId, clientId, openid, resources }) {
      const { userId, ...named } = grantNames.parse({ userId: accountId, clientId })
      const granted = {
        scope: grantedScope.parse(openid)?.scope ?? '',
        resources: scopesByResource.parse(resources ?? {}),
      }
      const lifetime = { lifetimeSeconds: settings.consentSeconds, shiftMs: clock.shiftMs }
      await database.query((client) => store.saveGrant(client, { id, userId, ...named, ...granted }, lifetime))
    },

    findByUid: unneeded,
    findByUserCode: unneeded,
    consume: unneeded,
    // Families end by the code or by the user; what was consented to stays.
    destroy: () => Promise.resolve(),
    revokeByGrantId: () => Promise.resolve(),
  }
}

const grantNames = z.object({ userId: z.uuid(), clientId: z.string() })
const grantedScope = z.object({ scope: z.string().optional() }).optional()
const scopesByResource = z.record(z.string(), z.string())

/** The grant that a code or a family stands for. */
function toPayload(id: string, { accountId, clientId, scope, resources }: GrantSource): AdapterPayload {
  const openid = { scope: parseScope(scope).filter(isOpenIdScope).join(' ') }
  const exp = Math.floor(Date.now() / 1000) + UNEXPIRED_SECONDS
  const ofResources = Object.fromEntries(resources.map((resource) => [resource, scope]))
  return { kind: 'Grant', jti: id, accountId, clientId, openid, resources: ofResources, exp }
}

/**
 * What the user has granted so far; for a first-party client, everything that it asks for. The user of a device has just
 * been shown what it asks for, and confirmed it.
 */
export async function loadGrant(context: ProviderContext, ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { database, clock } = context
  const { account, client, provider } = ctx.oidc
  if (account === undefined || client === undefined) return undefined
  const { accountId } = account
  const { clientId } = client
  const grant = new provider.Grant({ accountId, clientId })
  if (ownMetadataOf(client).first_party) {
    grant.jti = FIRST_PARTY_GRANT
    addRequested(grant, ctx)
    return grant
  }
  const key = { userId: accountId, clientId }
  const stored = await database.query((found) => store.findGrant(found, key, clock.shiftMs))
  grant.jti = stored?.id ?? uuidv7()
  if (stored !== null) {
    if (stored.scope !== '') grant.addOIDCScope(stored.scope)
    for (const [identifier, scope] of Object.entries(stored.resources)) grant.addResourceScope(identifier, scope)
  }
  if (ctx.oidc.route === 'code_verification') {
    addRequested(grant, ctx)
    await grant.save()
  }
  return grant
}

function addRequested(grant: Grant, { oidc }: KoaContextWithOIDC): void {
  const { requestParamOIDCScopes, requestParamScopes, resourceServers = {} } = oidc
  grant.addOIDCScope(requestParamOIDCScopes)
  for (const [identifier, { scopes }] of Object.entries(resourceServers)) {
    grant.addResourceScope(
      identifier,
      [...requestParamScopes].filter((scope) => scopes.has(scope)),
    )
  }
}
