import { z } from 'zod'
import type { Secret } from '../platform/crypto/secret.js'
import { isLoopback, parseIssuer } from './values.js'

/** A provider with which users sign in; null is what the entry leaves to its preset. */
export interface ProviderConfig {
  readonly id: string
  readonly name: string | null
  readonly preset: PresetName
  readonly issuer: string | null
  readonly clientId: string
  readonly clientSecret: Secret<string> | null
  readonly audiences: readonly string[]
  readonly authoritative: boolean
  readonly tenants: readonly string[]
  readonly responseMode: 'query' | 'form_post' | null
  readonly scopes: readonly string[] | null
  readonly addresses: {
    readonly authorization?: string
    readonly token?: string
    readonly userinfo?: string
    readonly emails?: string
  } | null
  readonly apple: { readonly teamId: string; readonly keyId: string } | null
}

const named = ['google', 'apple', 'microsoft', 'github', 'gitlab', 'facebook', 'linkedin', 'discord', 'x'] as const
const kinds = ['oidc', 'oauth2'] as const

export type PresetName = (typeof named)[number] | (typeof kinds)[number]

/** Presets that are found by discovery; the others have addresses that an entry may replace. */
export const discovered: ReadonlySet<PresetName> = new Set([
  'google',
  'apple',
  'microsoft',
  'gitlab',
  'linkedin',
  'oidc',
])

const TENANT = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

const ADDRESS = 'must be an https URL without a fragment; http is for localhost only'

const text = (pattern: RegExp, advice: string) => z.string(advice).regex(pattern, advice)
const listOf = (pattern: RegExp, advice: string) => z.array(text(pattern, advice), advice).max(50, advice).optional()
const address = z.string(ADDRESS).refine(isAddressOfProvider, ADDRESS).optional()

function isAddressOfProvider(url: string): boolean {
  if (!/^https?:\/\/[^\s\\#@]+$/.test(url) || !URL.canParse(url)) return false
  return url.startsWith('https:') || isLoopback(url)
}

/** One entry by itself. A message continues the sentence that the key begins; values are not repeated. */
export const entrySchema = z.strictObject({
  id: text(/^[a-z][a-z0-9-]{0,31}$/, 'must be up to 32 lower-case letters, digits and hyphens, starting with a letter'),
  preset: z.enum(named, `must be one of ${named.join(', ')}`).optional(),
  kind: z.enum(kinds, `must be one of ${kinds.join(', ')}`).optional(),
  name: text(/^[^\p{C}]{1,64}$/u, 'must be 1 to 64 characters, on one line').optional(),
  issuer: z
    .string(ADDRESS)
    .refine((url) => isAddressOfProvider(url.replace('{tenantid}', 'common')) && !url.includes('?'), ADDRESS)
    .refine((url) => parseIssuer(url.replace('{tenantid}', 'common')) !== null, ADDRESS)
    .optional(),
  client_id: text(/^[\x21-\x7e]{1,255}$/, 'must be the id that the provider has given to this client'),
  client_secret_env: text(
    /^[A-Z][A-Z0-9_]{0,63}$/,
    'must be the name of an environment variable, in capitals, and not the secret itself',
  ).optional(),
  audiences: listOf(/^[\x21-\x7e]{1,255}$/, 'must be a list of client ids'),
  authoritative: z.boolean('must be true or false').optional(),
  tenants: listOf(new RegExp(`${TENANT.source}|^\\*$`), 'must be a list of tenant ids in lower case, or ["*"] for all'),
  response_mode: z.enum(['query', 'form_post'], 'must be one of query, form_post').optional(),
  scopes: listOf(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'must be a list of scopes'),
  authorization_endpoint: address,
  token_endpoint: address,
  userinfo_endpoint: address,
  emails_endpoint: address,
  team_id: text(/^[A-Z0-9]{10}$/, 'must be the ten characters of the team id').optional(),
  key_id: text(/^[A-Z0-9]{10}$/, 'must be the ten characters of the key id').optional(),
})

export type Entry = z.infer<typeof entrySchema>

/** What an entry is made from. */
export function presetOf({ preset, kind }: Entry): PresetName {
  return preset ?? kind ?? 'oidc'
}

/** How the keys of a valid entry depend on each other: each conflict, and how to solve it. */
export function findEntryConflicts(entry: Entry): string[] {
  const preset = presetOf(entry)
  const { tenants = [], issuer } = entry
  const ownAddresses = [entry.authorization_endpoint, entry.token_endpoint, entry.userinfo_endpoint]
  const isGeneric = preset === 'oidc' || preset === 'oauth2'
  const isOwn = isGeneric || (preset === 'gitlab' && issuer !== undefined) || preset === 'microsoft'
  const rules: [boolean, string][] = [
    [(entry.preset === undefined) === (entry.kind === undefined), 'needs either preset or kind'],
    [preset === 'oidc' && issuer === undefined, 'needs issuer, because kind is oidc'],
    [
      preset === 'oauth2' && ownAddresses.includes(undefined),
      'needs authorization_endpoint, token_endpoint and userinfo_endpoint, because kind is oauth2',
    ],
    [
      discovered.has(preset) && [...ownAddresses, entry.emails_endpoint].some((each) => each !== undefined),
      'has addresses that are found by discovery: remove the keys that end with _endpoint',
    ],
    [!isGeneric && entry.client_secret_env === undefined, 'needs client_secret_env'],
    [preset === 'apple' && !(entry.team_id && entry.key_id), 'needs team_id and key_id, because preset is apple'],
    [
      preset !== 'apple' && (entry.team_id ?? entry.key_id) !== undefined,
      'has team_id or key_id, which only the preset apple has',
    ],
    [preset === 'microsoft' && tenants.length === 0, 'needs tenants: a list of tenant ids, or ["*"] for all'],
    [preset !== 'microsoft' && tenants.length > 0, 'has tenants, which only the preset microsoft has'],
    [tenants.includes('*') && tenants.length > 1, 'has "*" among other tenants'],
    [
      preset !== 'microsoft' && issuer?.includes('{tenantid}') === true,
      'has {tenantid} in issuer, which only the preset microsoft can fill in',
    ],
    [entry.authoritative === true && !isOwn, 'cannot be authoritative: what its addresses are worth is known'],
    [
      entry.authoritative === true && preset === 'microsoft' && (tenants.length !== 1 || tenants[0] === '*'),
      'can be authoritative for one tenant only, your own',
    ],
    [
      entry.audiences !== undefined && !discovered.has(preset) && preset !== 'facebook',
      'has audiences, but its provider issues no ID tokens',
    ],
  ]
  return rules.flatMap(([isBroken, fault]) => (isBroken ? [fault] : []))
}
