import { z } from 'zod'
import { acrLevels } from '../../wire/acr.js'
import { DEFAULT_COOKIE_PREFIX } from '../../wire/cookies.js'
import type { AuthenticationDemand } from '../../wire/step-up.js'
import type { VerifierClock } from './clock.js'
import { describeResource, resourceSchema, scopeSchema, type ResourceOptions } from './resource-metadata.js'

/** How a token is checked: by itself, also against the revocation list, or by asking Sallyport. */
export type Freshness = 'offline' | 'feed' | 'live'
export const freshnessSchema = z.enum(['offline', 'feed', 'live']) satisfies z.ZodType<Freshness>

/** The signing algorithms of Sallyport (RFC 7518, RFC 8037), all asymmetric. */
const algorithms = ['EdDSA', 'ES256', 'PS256', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

/**
 * The feed drops an entry two minutes after the last token it covers has expired. With a larger tolerance, a verifier
 * would accept such tokens again.
 */
const MAX_CLOCK_TOLERANCE_SECONDS = 60

export interface VerifierOptions {
  /** `iss` of the tokens: PUBLIC_URL of Sallyport, or ISSUER if set. */
  issuer: string
  /** `aud` of the tokens for this service: AUDIENCE of Sallyport, or its issuer if unset. */
  audience: string
  /**
   * `spv_…`, from `sallyport verifier:create`, or `spc_…`, the secret of a client that may introspect. Without it, only
   * `offline` is available.
   */
  credential?: string | undefined
  /** The URL of Sallyport as seen from this service; the issuer by default. */
  url?: string | undefined
  /** Whether to accept the cookies of mode `session`, for pages rendered by this service. */
  cookies?: boolean | undefined
  /** COOKIE_PREFIX of Sallyport: `sallyport` by default. */
  cookiePrefix?: string | undefined
  /**
   * The public URL of this service, such as https://orders.example.com, to accept tokens that are bound to a key (RFC 9449)
   * with a proof for its addresses. Without it, they are refused.
   */
  dpopUrl?: string | undefined
  /** Describes this service to clients that register themselves, such as agents (RFC 9728); not described by default. */
  resource?: ResourceOptions | undefined
  /** Accepted signing algorithms: EdDSA, ES256 and PS256 by default; RS256 only if listed. */
  algorithms?: readonly Algorithm[] | undefined
  /** Accepted clock skew in seconds: 30 by default, at most 60. */
  clockToleranceSeconds?: number | undefined
  /** Maximum age of the revocation list in milliseconds: 5000 by default. */
  maxStalenessMs?: number | undefined
  /** What `feed` does if the list is older: accept tokens (the default), or throw `revocation_stale`. */
  onStale?: 'allow' | 'deny' | undefined
  /** Replaces the global `fetch`, to use a proxy for example. */
  fetch?: typeof fetch | undefined
  /** Replaces the system clock, for tests. */
  clock?: VerifierClock | undefined
  /** Called for background errors: the key set or the feed is unavailable. */
  onError?: ((error: Error) => void) | undefined
}

/** What a route requires of the authentication that a token tells of (RFC 9470). */
export interface AuthenticationRequirement {
  /** The lowest level that suffices: `aal1` (any sign-in), `aal2` (two factors) or `phr` (phishing-resistant). */
  acr?: 'aal1' | 'aal2' | 'phr' | undefined
  /** The greatest number of seconds since the user authenticated; refreshes do not count. */
  maxAge?: number | undefined
}

/** What a route requires of a token. */
export interface TokenRequirement extends AuthenticationRequirement {
  /** The scopes that the token must have, all of them. */
  scopes?: readonly string[] | undefined
}

export interface VerifyOptions extends TokenRequirement {
  /** `feed` by default with a credential, `offline` without. */
  freshness?: Freshness | undefined
  /** Overrides the verifier's option. */
  maxStalenessMs?: number | undefined
  onStale?: 'allow' | 'deny' | undefined
}

// Strict, because a misspelt requirement would not be enforced.
const requirementSchema = z.strictObject({
  acr: z.enum(acrLevels).optional(),
  maxAge: z.int().positive().optional(),
  scopes: z.array(scopeSchema).min(1).optional(),
  freshness: freshnessSchema.optional(),
  maxStalenessMs: z.number().optional(),
  onStale: z.enum(['allow', 'deny']).optional(),
})

/** Throws a TypeError for options that are unknown, or a requirement that no token could meet. */
export function checkRequirement(requirement: VerifyOptions): AuthenticationDemand {
  const parsed = requirementSchema.safeParse(requirement)
  if (!parsed.success) throw new TypeError(`Invalid requirement:\n${z.prettifyError(parsed.error)}`)
  const { acr, maxAge } = parsed.data
  return { acr, maxAgeSeconds: maxAge }
}

const isFunction = (value: unknown) => typeof value === 'function'

const optionsSchema = z.strictObject({
  issuer: z.string().min(1),
  audience: z.string().min(1),
  credential: z
    .string()
    .regex(
      /^sp[vc]_[\w-]+$/,
      'Must be a credential from sallyport verifier:create, which starts with spv_, or the secret of a client, which starts with spc_',
    )
    .optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  cookies: z.boolean().default(false),
  cookiePrefix: z.string().min(1).default(DEFAULT_COOKIE_PREFIX),
  dpopUrl: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^?#]+$/, 'Must have no query')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  resource: resourceSchema.optional(),
  algorithms: z.array(z.enum(algorithms)).min(1).default(['EdDSA', 'ES256', 'PS256']),
  clockToleranceSeconds: z.number().min(0).max(MAX_CLOCK_TOLERANCE_SECONDS).default(30),
  maxStalenessMs: z.number().positive().default(5_000),
  onStale: z.enum(['allow', 'deny']).default('allow'),
  fetch: z.custom<typeof fetch>(isFunction, 'Must be a function like fetch').optional(),
  clock: z.custom<VerifierClock>((value) => typeof value === 'object' && value !== null).optional(),
  onError: z.custom<(error: Error) => void>(isFunction, 'Must be a function').optional(),
})

export type CheckedOptions = ReturnType<typeof checkOptions>

/** Throws a TypeError that names each missing, unknown or invalid option. */
export function checkOptions(options: VerifierOptions) {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw new TypeError(`Invalid options for createVerifier:\n${z.prettifyError(parsed.error)}`)
  const { url = options.issuer, resource, ...checked } = parsed.data
  if (!/^https?:\/\/[^?#]+$/.test(url)) {
    throw new TypeError('"url" is required, because the issuer is not an http or https URL.')
  }
  return {
    ...checked,
    url: url.replace(/\/+$/, ''),
    resourceMetadata: resource === undefined ? null : describeResource(resource, parsed.data),
  }
}
