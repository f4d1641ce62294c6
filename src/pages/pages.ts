/**
 * Owns what people see in a browser: sign-in, registration, the account, and what went wrong. Pages are rendered here, work
 * without script, and call the features directly; they never do what the API cannot. Rules belong to the features, texts to
 * locales/, the look to theme.css.
 */
import type { AppInstance } from '../platform/http/app-instance.js'
import { readFormBodies } from '../platform/http/form-body.js'
import type { Inbox } from '../features/mail/mail.js'
import type { OpenIdProvider } from '../features/oauth/oauth.js'
import { mountAccount } from './account/account.js'
import { mountConfirm } from './confirm/confirm.js'
import { mountFactors } from './factors/factors.js'
import { guardForms } from './forms/form-guard.js'
import { createFormTokens } from './forms/form-tokens.js'
import { mountIdentities, type IdentityPagesOptions } from './identities/identities.js'
import { mountHome, type HomeOptions } from './home/home.js'
import { mountInbox } from './inbox/inbox.js'
import { isLocale } from './locales/messages.js'
import { mountLinks } from './link/link.js'
import { mountMfa } from './mfa/mfa.js'
import { mountDevice } from './oauth/device.js'
import { mountInteractions } from './oauth/interactions.js'
import { mountProvider } from './oauth/provider-routes.js'
import type { PageFeatures, PageTools } from './page-tools.js'
import { answerWithPages } from './problems/problems.js'
import { mountRecovery } from './recovery/recovery.js'
import { mountRegister } from './register/register.js'
import { createRendering } from './rendering.js'
import { createReturnCookie } from './return-cookie.js'
import { createReturnTo } from './return-to.js'
import { mountSignedOut } from './signed-out/signed-out.js'
import { mountSignIn } from './signin/signin.js'
import { mountSocialPages, type MountSocial } from './social/social.js'
import { mountVerify } from './verify/verify.js'
import { createStaticFiles } from './static/static-files.js'
import { readTheme } from './static/theme.js'

export type { MountSocial } from './social/social.js'

export interface PagesOptions extends PageFeatures, IdentityPagesOptions, Omit<HomeOptions, 'inbox'> {
  publicUrl: string
  /** COOKIE_PREFIX. */
  cookiePrefix: string
  appName: string
  supportUrl: string | null
  /** MAIL_LOCALES, of which the first is the language of visitors who ask for none that there is. */
  locales: readonly [string, ...string[]]
  /** SIGN_IN_METHODS. */
  methods: readonly ('password' | 'otp')[]
  registration: 'open' | 'invite' | 'closed'
  /** Whether a device can be trusted to sign in without a second factor (MFA_TRUST_DAYS). */
  canTrust: boolean
  /** SOCIAL_SIGN_UP. */
  socialSignUp: boolean
  /** PASSWORD_MIN_LENGTH. */
  minLength: number
  /** RETURN_TO. */
  returnTo: readonly string[]
  /** The development inbox, where there is one. */
  inbox: Inbox | null
  /** THEME_DIR. */
  themeDir: string | null
  /** Null where OAUTH is off. */
  provider: OpenIdProvider | null
  /** Mounts a browser's way to other providers and back; null without PROVIDERS. */
  mountSocial: MountSocial | null
}

/** Mounts the pages, in a scope of their own: only there are forms read, and errors answered with pages. */
export async function mountPages(server: AppInstance, options: PagesOptions): Promise<void> {
  const { secrets, publicUrl, cookiePrefix: prefix } = options
  const theme = await readTheme(options.themeDir)
  const staticFiles = await createStaticFiles(theme)
  const formTokens = createFormTokens({ secrets, publicUrl, prefix })
  const { messages } = theme
  const [first] = options.locales
  const defaultLocale = isLocale(first) ? first : 'en'
  const rendering = createRendering({ ...options, defaultLocale, formTokens, staticFiles, messages })
  const readReturnTo = createReturnTo(options.returnTo)
  const returnCookie = createReturnCookie({ secrets, publicUrl, prefix, readReturnTo })
  const shownProviders = options.providers?.all ?? []
  const tools: PageTools = { ...options, rendering, readReturnTo, returnCookie, shownProviders }

  void server.register((scope: AppInstance, _options, done) => {
    readFormBodies(scope)
    answerWithPages(scope, tools)
    guardForms(scope, { formTokens, publicUrl })
    staticFiles.mount(scope)
    mountHome(scope, tools, { ...options, inbox: options.inbox !== null })
    mountSignIn(scope, tools)
    mountMfa(scope, tools)
    mountRegister(scope, tools)
    mountAccount(scope, tools)
    mountConfirm(scope, tools)
    mountFactors(scope, tools)
    mountIdentities(scope, tools, options)
    mountSignedOut(scope, tools)
    mountVerify(scope, tools)
    mountLinks(scope, tools)
    mountRecovery(scope, tools)
    if (options.inbox !== null) mountInbox(scope, tools, options.inbox)
    if (options.provider !== null) mountInteractions(scope, tools, options.provider)
    done()
  })
  if (options.provider !== null) {
    mountProvider(server, tools, options.provider)
    mountDevice(server, tools, options.provider)
  }
  if (options.mountSocial !== null) mountSocialPages(server, tools, options.mountSocial)
}
