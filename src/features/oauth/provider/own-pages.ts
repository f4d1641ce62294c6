import type { KoaContextWithOIDC } from 'oidc-provider'
import { requireState, type ProviderContext } from './context.js'
import type { ProviderPage } from './request-state.js'

/** Has one of our own pages shown in place of the library's. */
export function leaveToPages(context: ProviderContext, ctx: KoaContextWithOIDC, page: ProviderPage): void {
  requireState(context).page = page
  // Koa leaves the response to others then.
  ctx.respond = false
}

/** The library makes forms, of which only the token is needed. */
export function xsrfOf(form: string): string {
  return / name="xsrf" value="([^"]*)"/.exec(form)?.[1] ?? ''
}
