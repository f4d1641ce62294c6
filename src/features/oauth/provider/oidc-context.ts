import type { Context } from 'koa'
import type { KoaContextWithOIDC, OIDCContext } from 'oidc-provider'

/** What the library knows of a request; undefined for one that none of its routes answers. */
export function oidcOf(ctx: Context): OIDCContext | undefined {
  return hasOIDC(ctx) ? ctx.oidc : undefined
}

function hasOIDC(ctx: Context | KoaContextWithOIDC): ctx is KoaContextWithOIDC {
  return 'oidc' in ctx
}
