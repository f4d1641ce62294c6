import { parseSubject, readStandardClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/**
 * The key of a person is `oid` in the tenant `tid`, which the issuer names: `sub` is another for each application. The
 * administrator of a tenant writes any address into it: it counts in the operator's own tenant, and is verified where
 * Microsoft says that the domain's owner has verified it (`xms_edov`).
 */
export const microsoft: OpenIdPreset = {
  kind: 'oidc',
  title: 'Microsoft',
  issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
  scopes: ['openid', 'email', 'profile'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify(claims, { authoritative }) {
    const person = readStandardClaims(claims)
    const subject = parseSubject(claims.oid)
    if (person === null || subject === null || typeof claims.tid !== 'string') return null
    const isVerified = person.email !== null && (authoritative || claims.xms_edov === true)
    return {
      ...{ ...person, subject, tenant: claims.tid },
      isEmailVerified: isVerified,
      isAuthoritative: isVerified && authoritative,
    }
  },
}
