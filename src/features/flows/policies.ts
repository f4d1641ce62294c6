import { hashSubject, type Budget, type Policy } from '../limits/limits.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Wrong codes for one address, registered or not: the same limits as for wrong passwords, in separate counters, which a
 * right password does not clear (NIST SP 800-63B-4, section 3.2.2).
 */
const codePolicies: Policy[] = [
  { name: 'code', quota: 10, windowSeconds: HOUR, sliding: false, onSuccess: 'refund', concealed: true },
  { name: 'code-day', quota: 30, windowSeconds: DAY, sliding: false, onSuccess: 'refund', concealed: true },
  { name: 'code-total', quota: 100, windowSeconds: 90 * DAY, sliding: true, onSuccess: 'forget', concealed: true },
]

function mailPolicies(name: string): Policy[] {
  return [
    { name, quota: 5, windowSeconds: HOUR, sliding: false, onSuccess: 'spend', concealed: true },
    { name: `${name}-day`, quota: 15, windowSeconds: DAY, sliding: false, onSuccess: 'spend', concealed: true },
  ]
}

const mailsOfAddress = mailPolicies('mails')
/** Shared by all devices on which the account was signed in before. */
const mailsOfDevices = mailPolicies('device-mails')

/** Requests for mails from one network, to any address. */
export const mailsOfNetwork: Policy = {
  name: 'address-mails',
  quota: 30,
  windowSeconds: HOUR,
  sliding: false,
  onSuccess: 'spend',
  concealed: true,
}

export function codeBudgets(emails: readonly string[]): Budget[] {
  return [...new Set(emails)].flatMap((email) => codePolicies.map((policy) => ({ policy, of: hashSubject(email) })))
}

export function mailBudgets(email: string, { isKnownDevice }: { isKnownDevice: boolean }): Budget[] {
  const policies = isKnownDevice ? mailsOfDevices : mailsOfAddress
  return policies.map((policy) => ({ policy, of: hashSubject(email) }))
}
