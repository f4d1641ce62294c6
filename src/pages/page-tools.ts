import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserClaims } from '../wire/claims.js'
import { toProblem } from '../platform/http/errors.js'
import type { SecretKeys } from '../platform/crypto/secret-keys.js'
import type { Clock } from '../platform/clock.js'
import type { Authenticate } from '../platform/http/access.js'
import { retryAfterSecondsOf } from '../platform/http/problem-details.js'
import { noteProblem } from '../platform/http/error-handler.js'
import type {
  Account,
  Disowning,
  EmailChange,
  OwnApps,
  OwnFactors,
  OwnIdentities,
} from '../features/account/account.js'
import type { FindSignedIn } from '../features/access/access.js'
import type { Door, FlowCookie, KnownDevices, SessionCookies } from '../features/browser/browser.js'
import type { Families } from '../features/families/families.js'
import type { FlowKind, Flows } from '../features/flows/flows.js'
import type { ConfirmAddress, PasswordReset, Reauthentication, SignIn } from '../features/sign-in/sign-in.js'
import { describeProblem, type CredentialField, type FormErrors } from './forms/form-errors.js'
import type { Rendering } from './rendering.js'
import type { ReturnCookie } from './return-cookie.js'
import type { ReadReturnTo } from './return-to.js'
import type { ShownProvider } from './social/provider-buttons.js'

/** The features that pages are faces of. */
export interface PageFeatures {
  signIn: SignIn
  account: Account
  families: Families
  cookies: SessionCookies
  emailChange: EmailChange
  disowning: Disowning
  passwordReset: PasswordReset
  devices: KnownDevices
  flows: Flows
  flowCookie: FlowCookie
  /** The context of a sign-in, and the cookies that it sets. */
  door: Door
  authenticate: Authenticate
  findSignedIn: FindSignedIn
  /** By the kind of the flow that a link or a code belongs to. */
  confirmAddress: Partial<Record<FlowKind, ConfirmAddress>>
  reauthentication: Reauthentication
  ownFactors: OwnFactors
  ownApps: OwnApps
  ownIdentities: OwnIdentities
  secrets: SecretKeys
  clock: Clock
}

/** What the pages share. */
export interface PageTools extends PageFeatures {
  rendering: Rendering
  readReturnTo: ReadReturnTo
  returnCookie: ReturnCookie
  /** Those of PROVIDERS, in its order. */
  shownProviders: readonly ShownProvider[]
  /** Whether a sign-in at a provider makes an account for a person who has none (SOCIAL_SIGN_UP). */
  socialSignUp: boolean
  minLength: number
  /** SIGN_IN_METHODS. */
  methods: readonly ('password' | 'otp')[]
  registration: 'open' | 'invite' | 'closed'
  /** Whether a device can be trusted to sign in without a second factor (MFA_TRUST_DAYS). */
  canTrust: boolean
  /** MAIL_LOCALES. */
  locales: readonly [string, ...string[]]
}

/** What a form says about an error; an error that it cannot be corrected for is thrown on, and gets a page of its own. */
export function errorsOf(
  tools: Pick<PageTools, 'rendering' | 'minLength'>,
  reply: FastifyReply,
  error: unknown,
  credentials?: CredentialField,
  codeField: 'code' | 'confirm' = 'code',
): { errors: FormErrors; status: number } {
  const { request } = reply
  const problem = toProblem(error, true)
  const telling = {
    ...tools.rendering.language(request),
    minLength: tools.minLength,
    codeField,
    ...(credentials && { credentials }),
  }
  const errors = describeProblem(problem, telling)
  if (errors === null) throw error
  noteProblem(problem, request)
  const retryAfter = retryAfterSecondsOf(problem)
  if (retryAfter !== null) void reply.header('retry-after', retryAfter)
  // A form with a wrong password is no request without a credential, which 401 would say.
  return { errors, status: problem.status === 401 ? 422 : problem.status }
}

/** The claims of a signed-in user, on a page for anyone; null where there is none. */
export async function findClaims(
  { authenticate }: Pick<PageTools, 'authenticate'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<UserClaims | null> {
  try {
    return await authenticate(request, reply, { token: 'feed' })
  } catch (error) {
    if (isSignedOut(toProblem(error, true))) return null
    throw error
  }
}

/** Whether signing in helps. */
export function isSignedOut({ status, code }: { status: number; code: string }): boolean {
  return status === 401 || code === 'ambiguous_credentials'
}
