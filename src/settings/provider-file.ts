import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Secret } from '../platform/crypto/secret.js'
import {
  entrySchema,
  findEntryConflicts,
  presetOf,
  type Entry,
  type PresetName,
  type ProviderConfig,
} from './provider-config.js'
import { settingsSchema } from './settings.js'

/** The providers of a file, and what is wrong with it: each fault begins with the name of the setting. */
export interface ProviderFile {
  providers: ProviderConfig[]
  faults: string[]
}

type FindSecret = (name: string) => string | undefined

const MAX_BYTES = 1024 * 1024

/**
 * Reads the file of the providers, and the secrets that it names. Values are not repeated in faults. The variable of a
 * secret must not be a setting of ours, whose value would be sent to the provider.
 */
export function readProviderFile(
  path: string | undefined,
  variables: ReadonlyMap<string, string | undefined>,
): ProviderFile {
  if (path === undefined) return { providers: [], faults: [] }
  const secretOf = (name: string) => (Object.hasOwn(settingsSchema.shape, name) ? undefined : variables.get(name))
  const entries = readEntries(path)
  if (typeof entries === 'string') return { providers: [], faults: [`PROVIDERS ${entries}.`] }
  const read = entries.map((entry) => readEntry(entry, secretOf))
  const ids = read.map(({ id }) => id)
  const faults = read.flatMap(({ id, faults }, index) => {
    const isTaken = id !== null && ids.indexOf(id) !== index
    const all = isTaken ? [...faults, 'has the id of another entry'] : faults
    return all.map((fault) => `PROVIDERS entry ${index + 1}${id === null ? '' : ` (${id})`} ${fault}.`)
  })
  return { providers: read.flatMap(({ provider }) => provider ?? []), faults }
}

/** The entries of a file, each of any kind; a text says why there are none. */
function readEntries(path: string): unknown[] | string {
  const bytes = readBytes(path)
  if (typeof bytes === 'string') return bytes
  const document = parseJson(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  if (document === undefined) return 'names a file that is no JSON'
  const isObject = typeof document === 'object' && document !== null && 'providers' in document
  const entries: unknown = isObject ? document.providers : undefined
  if (!isObject || Object.keys(document).length !== 1 || !Array.isArray(entries)) {
    return 'names a file that is not of the form {"providers": [...]}'
  }
  return entries as unknown[]
}

function readBytes(path: string): Buffer | string {
  try {
    const bytes = readFileSync(path)
    return bytes.length > MAX_BYTES ? 'names a file that is larger than 1 MiB' : bytes
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return `names a file that cannot be read (${code})`
  }
}

/** The message of an error would repeat a part of the file, which may be a secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface ReadEntry {
  /** Null where it is not valid. */
  id: string | null
  provider: ProviderConfig | null
  faults: string[]
}

function readEntry(entry: unknown, secretOf: FindSecret): ReadEntry {
  const { data, error } = entrySchema.safeParse(entry)
  if (error) {
    const id = entrySchema.shape.id.safeParse((entry as { id?: unknown } | null)?.id).data ?? null
    return { id, provider: null, faults: [...new Set(error.issues.map(faultOf))] }
  }
  const { id } = data
  const conflicts = findEntryConflicts(data)
  const secret = readSecret(data, secretOf)
  const faults = secret instanceof Secret || secret === null ? conflicts : [...conflicts, secret]
  if (faults.length > 0 || typeof secret === 'string') return { id, provider: null, faults }
  return { id, provider: arrange(data, secret), faults: [] }
}

function faultOf(issue: { code?: string; path: PropertyKey[]; message: string }): string {
  const [key] = issue.path
  if (key !== undefined) return `${String(key)} ${issue.message}`
  if (issue.code !== 'unrecognized_keys' || !('keys' in issue)) return 'must be an object'
  const keys = issue.keys as string[]
  if (keys.includes('client_secret')) {
    return 'has client_secret: put the secret into an environment variable, and its name into client_secret_env'
  }
  const known = keys.filter((key) => /^[a-z_]{1,40}$/.test(key))
  return known.length === keys.length ? `has unknown keys: ${known.join(', ')}` : 'has unknown keys'
}

/** The secret of an entry, null where it names none; a text says what is wrong with it. */
function readSecret(entry: Entry, secretOf: FindSecret): Secret<string> | string | null {
  if (entry.client_secret_env === undefined) return null
  const text = secretOf(entry.client_secret_env)
  if (text === undefined) return 'has client_secret_env, which names a variable that is not set, or that is a setting'
  return presetOf(entry) === 'apple' ? readAppleKey(text) : new Secret(text)
}

/** The key that Apple offers once as a file `.p8`. Where a variable has one line only, its line breaks are written as `\n`. */
function readAppleKey(text: string): Secret<string> | string {
  const pem = text.replaceAll('\\n', '\n')
  try {
    const { asymmetricKeyDetails } = createPrivateKey(pem)
    if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return new Secret(pem)
  } catch {
    // The message may repeat the key.
  }
  return 'has client_secret_env, whose variable must hold the private key of the file .p8 from Apple'
}

function arrange(entry: Entry, clientSecret: Secret<string> | null): ProviderConfig {
  const preset: PresetName = presetOf(entry)
  const addresses = {
    ...(entry.authorization_endpoint !== undefined && { authorization: entry.authorization_endpoint }),
    ...(entry.token_endpoint !== undefined && { token: entry.token_endpoint }),
    ...(entry.userinfo_endpoint !== undefined && { userinfo: entry.userinfo_endpoint }),
    ...(entry.emails_endpoint !== undefined && { emails: entry.emails_endpoint }),
  }
  return {
    ...{ id: entry.id, preset, name: entry.name ?? null, issuer: entry.issuer ?? null },
    ...{ clientId: entry.client_id, clientSecret, audiences: entry.audiences ?? [] },
    ...{ authoritative: entry.authoritative ?? false, tenants: entry.tenants ?? [] },
    ...{ responseMode: entry.response_mode ?? null, scopes: entry.scopes ?? null },
    addresses: Object.keys(addresses).length === 0 ? null : addresses,
    apple: entry.team_id && entry.key_id ? { teamId: entry.team_id, keyId: entry.key_id } : null,
  }
}

/** What is allowed, and may not work. */
export function providerWarnings(providers: readonly ProviderConfig[], publicUrl: string): string[] {
  const posted = providers.filter(
    ({ preset, responseMode }) => (responseMode ?? (preset === 'apple' ? 'form_post' : 'query')) === 'form_post',
  )
  return posted.length === 0 || publicUrl.startsWith('https:')
    ? []
    : [
        `PROVIDERS has ${posted.map(({ id }) => id).join(', ')} with form_post, which needs a cookie that most browsers keep over https only: set PUBLIC_URL to an https URL.`,
      ]
}
