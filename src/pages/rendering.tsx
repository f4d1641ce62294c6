import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { cookieName, readCookies } from '../wire/cookies.js'
import type { Clock } from '../platform/clock.js'
import { basePathOf } from '../platform/http/base-path.js'
import type { FormTokens } from './forms/form-tokens.js'
import { PageProvider, type PageContext } from './layout/page-context.js'
import {
  createTranslate,
  isLocale,
  locales,
  type CustomMessages,
  type Locale,
  type Translate,
} from './locales/messages.js'
import { negotiateLocale } from './locales/negotiation.js'
import { isInteraction } from './return-to.js'
import type { StaticFiles } from './static/static-files.js'

export interface RenderingOptions {
  publicUrl: string
  cookiePrefix: string
  appName: string
  supportUrl: string | null
  defaultLocale: Locale
  /** PASSWORD_MIN_LENGTH. */
  minLength: number
  clock: Clock
  formTokens: FormTokens
  staticFiles: StaticFiles
  messages: CustomMessages
}

export interface SendOptions {
  status?: number
  /** Another origin, to which a form of the page may lead: Chromium applies `form-action` to redirects too. */
  leadsTo?: string | null
  /** Whether it shows other responses of ours in frames. */
  frames?: boolean
  /** Whether the page can be opened by its address again, and therefore in another language. */
  hasAddress?: boolean
  /** `return_to`, which the page keeps in another language. */
  returnTo?: string
  /** Whether a client may have opened the page in a window of its own, to which it stays connected. */
  isPopup?: boolean
}

export interface Rendering {
  /** Sends a page. */
  send(reply: FastifyReply, page: VNode, options?: SendOptions): FastifyReply
  /** The language of a request, and its texts. */
  language(request: FastifyRequest): { locale: Locale; t: Translate }
  /** Sends the browser to one of our paths, or to another URL, by GET. */
  redirect(reply: FastifyReply, target: string): FastifyReply
}

const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60

export function createRendering(options: RenderingOptions): Rendering {
  const { publicUrl, formTokens, staticFiles, clock, messages } = options
  const basePath = basePathOf(publicUrl)
  const href = (path: string) => basePath + path
  const localeCookie = cookieName(publicUrl, 'locale', options.cookiePrefix)
  const secure = publicUrl.startsWith('https:')

  function language(request: FastifyRequest) {
    const wishes = {
      uiLocales: queryOf(request).get('ui_locales') ?? undefined,
      cookie: readCookies(request.headers.cookie, localeCookie)[0],
      acceptLanguage: request.headers['accept-language'],
    }
    const locale = negotiateLocale(wishes, options.defaultLocale)
    return { locale, t: createTranslate(locale, messages) }
  }

  /** Keeps a language that was chosen by a link. */
  function rememberChoice(request: FastifyRequest, reply: FastifyReply): void {
    const locale = queryOf(request).get('ui_locales') ?? ''
    if (!isLocale(locale)) return
    const attributes = { path: '/', httpOnly: true, secure, sameSite: 'lax', maxAge: ONE_YEAR_SECONDS } as const
    void reply.setCookie(localeCookie, locale, attributes)
  }

  function contextOf(reply: FastifyReply, { returnTo = '', hasAddress = true }: SendOptions): PageContext {
    const { request } = reply
    const [path = ''] = request.url.split('?', 1)
    let formToken: string | null = null
    const kept = returnTo === '' ? '' : `&return_to=${encodeURIComponent(returnTo)}`
    return {
      ...language(request),
      href,
      asset: (name) => href(staticFiles.pathOf(name)),
      formToken() {
        // With "no-referrer", browsers would send the form with "Origin: null".
        void reply.header('referrer-policy', 'same-origin')
        return (formToken ??= formTokens.issue(request, reply))
      },
      appName: options.appName,
      supportUrl: options.supportUrl,
      minLength: options.minLength,
      languages: (hasAddress ? locales : []).map((locale) => ({
        locale,
        href: href(`${path}?ui_locales=${locale}${kept}`),
      })),
      now: clock.now(),
    }
  }

  return {
    language,

    send(reply, page, sending = {}) {
      const { status = 200, leadsTo = null, frames = false, returnTo = '' } = sending
      const { isPopup = isInteraction(returnTo) } = sending
      rememberChoice(reply.request, reply)
      const context = contextOf(reply, sending)
      const html = renderToString(<PageProvider value={context}>{page}</PageProvider>)
      return reply
        .code(status)
        .headers({
          'content-type': 'text/html; charset=utf-8',
          'content-language': context.locale,
          'content-security-policy': contentSecurityPolicy(leadsTo, frames),
          ...(isPopup && { 'cross-origin-opener-policy': 'unsafe-none' }),
        })
        .send(`<!doctype html>\n${html}\n`)
    },

    redirect: (reply, target) => reply.redirect(target.startsWith('/') ? href(target) : target, 303),
  }
}

function queryOf(request: FastifyRequest): URLSearchParams {
  const start = request.url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : request.url.slice(start))
}

function contentSecurityPolicy(leadsTo: string | null, frames: boolean): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    ...(frames ? ["frame-src 'self'"] : []),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    `form-action 'self'${leadsTo === null ? '' : ` ${leadsTo}`}`,
  ].join('; ')
}
