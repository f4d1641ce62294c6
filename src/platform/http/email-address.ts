import { domainToASCII, domainToUnicode } from 'node:url'
import { z } from 'zod'

/** In octets, of the path that carries an address (RFC 5321, section 4.5.3.1). */
const MAX_LENGTH = 254
const MAX_LOCAL_LENGTH = 64

/** Of what is not even looked at: spaces around an address may be longer than that. */
const MAX_TYPED_LENGTH = 1000

const NOT_ONE = 'Must be an e-mail address, such as ada@example.com'
const NOT_NEW = 'Must be an e-mail address that every mail server takes, such as ada@example.com'

/**
 * One address, as <input type="email"> accepts it, and in the form in which addresses are stored and compared: in lower
 * case, with an international domain as A-labels (RFC 5890). The local part is ASCII, so that a look-alike in another
 * script cannot match another user's address.
 */
export const emailSchema = z
  .string()
  .overwrite(canonicalEmail)
  .max(MAX_LENGTH)
  .refine((email) => z.regexes.html5Email.test(email), NOT_ONE)
  .meta({ format: 'email', examples: ['ada@example.com'] })

/**
 * An address for a new account or a change of address. Stricter than `emailSchema`, which also accepts addresses that earlier
 * versions have stored: mail is sent to it before its ownership is confirmed.
 */
export const newEmailSchema = emailSchema
  .refine(isSafeToMail, NOT_NEW)
  .meta({ format: 'email', examples: ['ada@example.com'] })

/** The address in the form in which it is stored, or the text itself where it is none. */
function canonicalEmail(text: string): string {
  if (text.length > MAX_TYPED_LENGTH) return text
  // Only what a keyboard types: a byte order mark, say, is no space that may be dropped.
  const trimmed = text.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  const at = trimmed.lastIndexOf('@')
  const [local, domain] = [trimmed.slice(0, at), trimmed.slice(at + 1)]
  if (at < 0 || !isAscii(local)) return trimmed
  const ascii = isAscii(domain) ? domain.toLowerCase() : toALabels(domain)
  return ascii === null ? trimmed : `${local.toLowerCase()}@${ascii}`
}

/**
 * An international domain as A-labels; null for one that can be written in another way, such as in full-width letters or
 * with an invisible character: what folds into another domain must not reach its mailboxes.
 */
function toALabels(domain: string): string | null {
  if (domain.normalize('NFKC') !== domain) return null
  const ascii = domainToASCII(domain)
  return ascii !== '' && domainToUnicode(ascii) === domain.toLowerCase() ? ascii : null
}

/**
 * Whether no mail server can take an address for a route or for another mailbox: a dot at an end or two in a row, the
 * marks of routes (`!`, `%`), the beginning of an encoded word (RFC 2047), or an A-label that is none.
 */
function isSafeToMail(email: string): boolean {
  const at = email.lastIndexOf('@')
  const [local, domain] = [email.slice(0, at), email.slice(at + 1)]
  if (local.length > MAX_LOCAL_LENGTH) return false
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return false
  if (/[!%:]|=\?/.test(local)) return false
  return !A_LABEL.test(domain) || hasOnlyALabels(domain)
}

const A_LABEL = /(^|\.)xn--/

/**
 * Whether each label that begins like an A-label is one (RFC 5890, section 2.3.2.1). Node 24 returns those that are none
 * unchanged, in both directions; earlier versions return an empty text.
 */
function hasOnlyALabels(domain: string): boolean {
  const unicode = domainToUnicode(domain)
  return !A_LABEL.test(unicode) && domainToASCII(unicode) === domain
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text)
}
