import { isListed, originOf, unlistedReturn, type ReadReturnTo } from '../platform/http/return-url.js'
import type { Problem } from '../platform/problem.js'

export type { Destination, ReadReturnTo } from '../platform/http/return-url.js'

/** Where the browser comes back to after a link of an account at another provider. */
export const linkedPath = '/account/identities/linked'

/** Pages of our own that a sign-in may lead back to. */
const accountPages: ReadonlySet<string> = new Set([
  '/account',
  '/account/email',
  '/account/password',
  '/account/password/remove',
  '/account/delete',
  '/account/factors/totp',
  '/account/factors/passkey',
  '/account/recovery-codes',
  linkedPath,
])

const ownCredential = /^\/account\/(factors|identities)\/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

const link = /^\/account\/identities\/link\/[\w-]{1,64}$/

const interaction = /^\/(oauth\/interaction|consent)\/[\w-]{1,64}$/

const device = /^\/device(\?user_code=[\w-]{1,32})?$/

function isOwnPage(path: string): boolean {
  const isOfAccount = accountPages.has(path) || ownCredential.test(path) || link.test(path)
  return isOfAccount || device.test(path) || isInteraction(path)
}

/** Whether a path is that of a page on which a user does what a client of the OpenID provider waits for. */
export function isInteraction(path: string): boolean {
  return interaction.test(path)
}

/** The page of a path, or the one with the form that is sent to it; the account page for any other. */
export function ownPageFor(path: string): string {
  const parent = path.slice(0, path.lastIndexOf('/'))
  return [path, parent].find(isOwnPage) ?? '/account'
}

/** Whether a problem is about a `return_to` that is not allowed: a mistake of the application that led here. */
export function isUnlistedReturn({ options }: Problem): boolean {
  return options.errors?.some(({ path }) => path === '/return_to') ?? false
}

/**
 * Makes the reader of `return_to`, which is compared as text with RETURN_TO and our own pages. It throws
 * `validation_failed` for anything else: what begins like an allowed URL may lead elsewhere.
 */
export function createReturnTo(
  allowed: readonly string[],
  { ownPages: hasOwnPages }: { ownPages: boolean } = { ownPages: true },
): ReadReturnTo {
  return (returnTo) => {
    if (returnTo === '') return null
    if (hasOwnPages && isOwnPage(returnTo)) return { target: returnTo, origin: null }
    if (isListed(allowed, returnTo)) return { target: returnTo, origin: originOf(returnTo) }
    throw unlistedReturn()
  }
}

/** The path of a page that keeps where its visitor is going. */
export function withReturnTo(path: string, returnTo: string, others: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...(returnTo !== '' && { return_to: returnTo }), ...others }).toString()
  return query === '' ? path : `${path}?${query}`
}
