/**
 * Owns the answer to gateways, such as nginx, Caddy and Envoy, that ask about each request before they pass it on: who
 * the user is, in headers. Whether the request may pass is the matter of access, and of the rule for other sites.
 */
import QuickLRU from 'quick-lru'
import type { UserClaims } from '../../wire/claims.js'
import type { Accounts } from '../accounts/accounts.js'

/** What a gateway can be told of the user. */
export const gatewayFields = ['user', 'roles', 'session', 'email'] as const
export type GatewayField = (typeof gatewayFields)[number]

/** The name of the header of each field; a field without a name is not sent. */
export type GatewayHeaders = Readonly<Partial<Record<GatewayField, string>>>

export interface Gateway {
  /**
   * The headers for a request that may pass. Each is always there, an empty one too, so that it takes the place of one
   * that the client has sent. Throws `session_ended` for a user who has been deleted since the token was issued.
   */
  identify(claims: UserClaims): Promise<Record<string, string>>
}

/** The addresses that are kept in memory. */
const MAX_EMAILS = 10_000

export function createGateway({
  accounts,
  headers,
}: {
  accounts: Pick<Accounts, 'require'>
  headers: GatewayHeaders
}): Gateway {
  // A change of the address raises the epoch, and tokens of the old one are refused.
  const emails = new QuickLRU<string, string>({ maxSize: MAX_EMAILS })

  async function emailOf({ sub, epoch }: UserClaims): Promise<string> {
    const version = `${sub} ${epoch}`
    const known = emails.get(version)
    if (known !== undefined) return known
    const { email } = await accounts.require(sub)
    emails.set(version, email)
    return email
  }

  const readers: Record<GatewayField, (claims: UserClaims) => string | Promise<string>> = {
    user: ({ sub }) => toHeaderText(sub),
    roles: ({ roles }) => roles.map(toHeaderText).join(','),
    session: ({ sid }) => toHeaderText(sid),
    email: async (claims) => toHeaderText(await emailOf(claims)),
  }

  return {
    async identify(claims) {
      const values: Record<string, string> = {}
      for (const field of gatewayFields) {
        const name = headers[field]
        if (name !== undefined) values[name] = await readers[field](claims)
      }
      return values
    },
  }
}

/**
 * Text as a header can carry it: visible ASCII without the comma and the percent sign, all else percent-encoded
 * (RFC 3986, section 2.1), so that no value can end a header or pass for two roles.
 */
export function toHeaderText(value: string): string {
  return value.replace(/[^\x21-\x24\x26-\x2B\x2D-\x7E]/gu, encodeURIComponent)
}
