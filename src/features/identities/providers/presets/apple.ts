import { z } from 'zod'
import { parseEmail, parseSubject, readStandardClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'
import type { NoticeType } from '../provider.js'

/**
 * Apple answers by a form from its own site, and writes true as text. The address of an Apple Account is the person's; a
 * relay address is made by Apple for one application, so it links no existing account.
 */
export const apple: OpenIdPreset = {
  kind: 'oidc',
  title: 'Apple',
  issuer: 'https://appleid.apple.com',
  scopes: ['openid', 'name', 'email'],
  clientAuthentication: 'apple',
  responseMode: 'form_post',
  identify(claims) {
    const person = readStandardClaims({ ...claims, email_verified: isTrue(claims.email_verified) })
    if (person === null) return null
    const isRelay = isTrue(claims.is_private_email) || person.email?.endsWith('@privaterelay.appleid.com') === true
    return { ...person, isAuthoritative: person.isEmailVerified && !isRelay }
  },
  /** The claim `events` is one event, as JSON within the JSON. */
  readNotice({ events }) {
    const event = eventSchema.safeParse(typeof events === 'string' ? parseJson(events) : events).data
    const subject = parseSubject(event?.sub)
    if (event === undefined || subject === null) return null
    return { type: noticeTypes.get(event.type) ?? 'other', subject, email: parseEmail(event.email) }
  },
}

const eventSchema = z.looseObject({ type: z.string(), sub: z.unknown().optional(), email: z.unknown().optional() })

/** Apple's documentation says "account-deleted", and what its servers send has been "account-delete". */
const noticeTypes: ReadonlyMap<string, NoticeType> = new Map([
  ['account-delete', 'account_deleted'],
  ['account-deleted', 'account_deleted'],
  ['consent-revoked', 'consent_revoked'],
  ['email-disabled', 'email_disabled'],
  ['email-enabled', 'email_enabled'],
])

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isTrue = (value: unknown) => value === true || value === 'true'
