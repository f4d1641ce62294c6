import { randomUUID } from 'node:crypto'
import type { Session } from 'oidc-provider'
import type Provider from 'oidc-provider'
import type { Acr } from '../../../wire/acr.js'
import { acrLevels } from '../../../wire/acr.js'
import type { UserClaims } from '../../../wire/claims.js'
import type { Authentication } from '../../families/families.js'
import type { ProviderContext } from './context.js'
import { oidcOf } from './oidc-context.js'

/**
 * There is one truth about the browser's session: our family. The library's own session follows it, and keeps what it has
 * told to which client. Its `uid` is the id of the family, so that one never speaks for another.
 */
export function followBrowserSession(provider: Provider, { families, states }: ProviderContext): void {
  const { Session } = provider
  const get = Session.get.bind(Session)

  Session.get = async (ctx) => {
    const kept = await get(ctx)
    const claims = states.of(ctx.req)?.session ?? null
    if (claims === null && kept.accountId === undefined) return kept
    const session = claims === null ? anonymous(provider) : await sessionOf(provider, kept, claims)
    if (claims !== null && session.authorizations !== undefined) await renewEndedSids(session, claims)
    if (session !== kept && kept.accountId !== undefined) await kept.destroy()
    oidcOf(ctx)?.entity('Session', session)
    return session
  }

  /** A client that was told that its session is over refuses its `sid` from then on. */
  async function renewEndedSids(session: Session, { sid }: UserClaims): Promise<void> {
    for (const { clientId, rpSid } of await families.findEndedRpSessions(sid)) {
      if (session.sidFor(clientId) === rpSid) session.sidFor(clientId, randomUUID())
    }
  }
}

async function sessionOf(provider: Provider, kept: Session, claims: UserClaims): Promise<Session> {
  const isSame = kept.uid === claims.sid
  // Of a browser that has lost the library's cookie: clients go on with the `sid` that they know.
  const session = isSame ? kept : ((await provider.Session.findByUid(claims.sid)) ?? begin(provider, claims.sid))
  const { sub: accountId, auth_time: loginTs, amr, acr } = claims
  session.loginAccount({ accountId, loginTs, amr: [...amr], acr })
  return session
}

function anonymous(provider: Provider): Session {
  return begin(provider, undefined)
}

/** A session that is stored, and whose cookie takes the place of the one that the browser has. */
function begin({ Session }: Provider, uid: string | undefined): Session {
  const Constructor: new (payload: object) => Session = Session
  return new Constructor(uid === undefined ? {} : { uid })
}

/** What the user has shown, as the code tells that was issued for it. */
export function authenticationOf({
  amr = [],
  acr = '',
  authTime = 0,
}: {
  amr?: string[] | undefined
  acr?: string | undefined
  authTime?: number | undefined
}): Authentication {
  return { amr, acr: isAcr(acr) ? acr : 'aal1', authenticatedAt: new Date(authTime * 1000) }
}

function isAcr(acr: string): acr is Acr {
  return acrLevels.some((level) => level === acr)
}
