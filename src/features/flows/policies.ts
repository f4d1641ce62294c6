import { hashSubject, type Budget, type Policy } from '../limits/limits.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * Wrong codes of one address, whether or not anybody has it: the same steps as for wrong passwords, in counters of their
 * own, which a right password does not clear (NIST SP 800-63B-4, section 3.2.2).
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
/** For the devices on which the address was signed in before, all together. */
const mailsOfDevices = mailPolicies('device-mails')

/** Mails that one network asks for, whatever the addresses. */
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
