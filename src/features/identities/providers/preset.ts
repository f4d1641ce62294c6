import type { Secret } from '../../../platform/crypto/secret.js'
import type { ExternalIdentity } from '../external-identity.js'
import type { ProviderNotice } from './provider.js'

/** A provider as PROVIDERS has it; null is what the entry leaves to its preset. */
export interface ProviderSettings {
  readonly id: string
  readonly name: string | null
  readonly preset: PresetName
  readonly issuer: string | null
  readonly clientId: string
  /** The secret; for Apple, the private key that makes one. */
  readonly clientSecret: Secret<string> | null
  /** Further clients, such as apps, whose ID tokens are accepted. */
  readonly audiences: readonly string[]
  /** Whether the provider decides who has an address, as the operator knows of one of their own. */
  readonly authoritative: boolean
  /** The tenants of a provider that has many; `*` for all. */
  readonly tenants: readonly string[]
  readonly responseMode: 'query' | 'form_post' | null
  readonly scopes: readonly string[] | null
  readonly addresses: Partial<Addresses> | null
  /** What Apple calls the team and the key that signs the client's secret. */
  readonly apple: { readonly teamId: string; readonly keyId: string } | null
}

export const presetNames = [
  ...(['google', 'apple', 'microsoft', 'github', 'gitlab', 'facebook', 'linkedin', 'discord', 'x'] as const),
  ...(['oidc', 'oauth2'] as const),
]

export type PresetName = (typeof presetNames)[number]

/** The addresses of an OAuth 2 provider, which has no discovery. */
export interface Addresses {
  readonly authorization: string
  readonly token: string
  readonly userinfo: string
  /** Where the person's addresses are listed, in GitHub's form; null where `userinfo` has the address. */
  readonly emails: string | null
}

/** What a provider says of a person, in an ID token or at its address for users. */
export type Claims = Readonly<Record<string, unknown>>

/** Who that is, and what the address is worth. */
export type Person = Omit<ExternalIdentity, 'provider' | 'issuer'>

interface Common {
  /** The name on the button. */
  readonly title: string
  readonly scopes: readonly string[]
  /** How the client authenticates: by HTTP Basic, in the form, or in the form with a secret that is made for each request. */
  readonly clientAuthentication: 'basic' | 'post' | 'apple'
  readonly responseMode: 'query' | 'form_post'
  /** Further parameters of the request to the provider. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Reads the claims; null where they name no person. */
  identify(claims: Claims, trust: Pick<ProviderSettings, 'authoritative'>): Person | null
  /** Reads the claims of a notice, for providers that send some; null where they are none. */
  readNotice?(claims: Claims): Pick<ProviderNotice, 'type' | 'subject' | 'email'> | null
}

/** A provider that issues ID tokens, whose addresses are found by discovery. */
export interface OpenIdPreset extends Common {
  readonly kind: 'oidc'
  /** `{tenantid}` in it stands for the claim `tid`, and for `common` in the address of the discovery document. */
  readonly issuer: string | null
  /** Other spellings of the issuer in its ID tokens. */
  readonly aliases?: readonly string[]
  /** Whether its ID tokens leave out the nonce, against the specification. */
  readonly omitsNonce?: boolean
}

/** A provider of OAuth 2, which is asked for the person with the access token. */
export interface OAuth2Preset extends Common {
  readonly kind: 'oauth2'
  /** With which identities are stored, and what `iss` has to be. */
  readonly issuer: string | null
  readonly addresses: Addresses | null
  /** Whether every callback has `iss` (RFC 9207). */
  readonly sendsIss: boolean
  /** Whether requests with an access token prove the client's secret, as Facebook asks for. */
  readonly provesSecret?: boolean
  /** The issuer of the ID tokens that its apps get; null where there are none. */
  readonly idTokens: { readonly discovery: string } | null
}

export type Preset = OpenIdPreset | OAuth2Preset
