import { z } from 'zod'
import type { VerifierClock } from './clock.js'

/** How sure a request has to be: the token alone, the list of revocations too, or Sallyport asked. */
export type Freshness = 'offline' | 'feed' | 'live'
export const freshnessSchema = z.enum(['offline', 'feed', 'live']) satisfies z.ZodType<Freshness>

/** The algorithms of Sallyport (RFC 7518, RFC 8037). Symmetric ones are none of them. */
const algorithms = ['EdDSA', 'ES256', 'PS256', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

/**
 * An entry of the feed is forgotten two minutes after the last token that it refuses has expired. A verifier that let
 * tokens pass for longer than that would let them pass again.
 */
const MAX_CLOCK_TOLERANCE_SECONDS = 60

export interface VerifierOptions {
  /** `iss` of the tokens: PUBLIC_URL of Sallyport, or ISSUER where that is set. */
  issuer: string
  /** What stands in `aud` of the tokens that are meant for this service: AUDIENCE of Sallyport, or its issuer. */
  audience: string
  /** `spv_…`, as `sallyport verifier:create` prints it. Without it only `offline` is possible. */
  credential?: string | undefined
  /** Where Sallyport is reached from here; the issuer by default. */
  url?: string | undefined
  /** Whether requests may show the cookies of mode `session`, for pages that are rendered by this service. */
  cookies?: boolean | undefined
  /** What tokens may be signed with: EdDSA, ES256 and PS256 by default; RS256 only where it is listed. */
  algorithms?: readonly Algorithm[] | undefined
  /** How far this machine's clock may be off: 30 by default, 60 at most. */
  clockToleranceSeconds?: number | undefined
  /** For how long the list of revocations is relied on after it was last confirmed: 5000 by default. */
  maxStalenessMs?: number | undefined
  /** What `feed` does when it has not been confirmed for that long: let tokens pass (the default), or answer 503. */
  onStale?: 'allow' | 'deny' | undefined
  /** Stands in for the global `fetch`, to go through a proxy for example. */
  fetch?: typeof fetch | undefined
  /** Stands in for the machine's clock, in tests. */
  clock?: VerifierClock | undefined
  /** Is told what goes wrong behind the requests: the key set or the feed cannot be had. */
  onError?: ((error: Error) => void) | undefined
}

export interface VerifyOptions {
  /** `feed` by default with a credential, `offline` without. */
  freshness?: Freshness | undefined
  /** In place of the verifier's own. */
  maxStalenessMs?: number | undefined
  onStale?: 'allow' | 'deny' | undefined
}

const isFunction = (value: unknown) => typeof value === 'function'

const optionsSchema = z.strictObject({
  issuer: z.string().min(1),
  audience: z.string().min(1),
  credential: z
    .string()
    .regex(/^spv_[\w-]+$/, 'What sallyport verifier:create prints starts with spv_')
    .optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  cookies: z.boolean().default(false),
  algorithms: z.array(z.enum(algorithms)).min(1).default(['EdDSA', 'ES256', 'PS256']),
  clockToleranceSeconds: z.number().min(0).max(MAX_CLOCK_TOLERANCE_SECONDS).default(30),
  maxStalenessMs: z.number().positive().default(5_000),
  onStale: z.enum(['allow', 'deny']).default('allow'),
  fetch: z.custom<typeof fetch>(isFunction, 'A function like fetch').optional(),
  clock: z.custom<VerifierClock>((value) => typeof value === 'object' && value !== null).optional(),
  onError: z.custom<(error: Error) => void>(isFunction, 'A function').optional(),
})

export type CheckedOptions = ReturnType<typeof checkOptions>

/** Throws a TypeError that names each option that is missing, unknown or out of bounds. */
export function checkOptions(options: VerifierOptions) {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw new TypeError(`The options of createVerifier are wrong.\n${z.prettifyError(parsed.error)}`)
  const { url = options.issuer, ...checked } = parsed.data
  if (!/^https?:\/\/[^?#]+$/.test(url)) {
    throw new TypeError('The issuer is no address on the web: say in "url" where Sallyport is reached.')
  }
  return { ...checked, url: url.replace(/\/+$/, '') }
}
