import type { ProblemCode } from '../../wire/problem-codes.js'
import { retryAfterSecondsOf } from '../../platform/http/problem-details.js'
import type { FieldError, Problem } from '../../platform/problem.js'
import { isMessageKey, type Locale, type MessageKey, type Translate } from '../locales/messages.js'
import { sayWait } from '../locales/times.js'

/** What is wrong with a form: beside its fields, by their names, or with the whole of it. */
export interface FormErrors {
  fields: Readonly<Record<string, string>>
  form: string | null
}

/** The field with what shows that it is the user. */
export type CredentialField = 'password' | 'current_password' | 'code' | 'recovery_code' | 'credential'

export const noErrors: FormErrors = { fields: {}, form: null }

export interface Telling {
  t: Translate
  locale: Locale
  /** PASSWORD_MIN_LENGTH. */
  minLength: number
  /** The field with what shows that it is the user, where the form has one. */
  credentials?: CredentialField
  /** The field with the digits of a mail. */
  codeField: 'code' | 'confirm'
}

type Description = (problem: Problem, telling: Telling) => FormErrors

const byFields: Description = ({ options }, telling) => ({
  fields: describeFields(options.errors ?? [], telling),
  form: null,
})
const wrongCredentials = {
  password: 'error.credentials',
  current_password: 'error.password_wrong',
  code: 'error.factor_code',
  recovery_code: 'error.factor_code',
  credential: 'error.passkey',
} as const satisfies Record<CredentialField, MessageKey>

const unavailable: Description = (_problem, { t }) => ({ fields: {}, form: t('error.unavailable') })

const descriptions: Partial<Record<ProblemCode, Description>> = {
  validation_failed: byFields,
  password_too_weak: byFields,
  invalid_credentials: (_problem, { t, credentials = 'password' }) => ({
    fields: { [credentials]: t(wrongCredentials[credentials]) },
    form: null,
  }),
  flow_invalid: ({ options: { reason, members } }, { t, codeField }) => {
    const left = members?.['attempts_left']
    if (reason === 'wrong_code') {
      const key = codeField === 'confirm' ? 'error.digits_wrong' : 'error.code_wrong'
      return { fields: { [codeField]: t(key, { left: typeof left === 'number' ? left : '' }) }, form: null }
    }
    const key = `error.flow_${reason ?? 'expired'}`
    return { fields: {}, form: t(isMessageKey(key) ? key : 'error.flow_expired') }
  },
  email_taken: (_problem, { t }) => ({ fields: { email: t('error.email_taken') }, form: null }),
  last_factor: (_problem, { t }) => ({ fields: {}, form: t('error.last_factor') }),
  last_way_in: (_problem, { t }) => ({ fields: {}, form: t('error.last_way_in') }),
  account_banned: (_problem, { t }) => ({ fields: {}, form: t('error.banned') }),
  rate_limited: (problem, { t, locale }) => ({
    fields: {},
    form: t('error.rate_limited', { when: sayWait(locale, retryAfterSecondsOf(problem) ?? 60) }),
  }),
  overloaded: unavailable,
  database_unavailable: unavailable,
}

/**
 * What a form says about the problem that an operation has thrown; null for one that a form cannot be corrected for, which
 * gets a page of its own.
 */
export function describeProblem(problem: Problem, telling: Telling): FormErrors | null {
  return descriptions[problem.code]?.(problem, telling) ?? null
}

function describeFields(errors: readonly FieldError[], telling: Telling): Record<string, string> {
  return Object.fromEntries(errors.map((error) => [error.path.slice(1), describeField(error, telling)]))
}

function describeField({ path, code }: FieldError, { t, minLength, credentials }: Telling): string {
  if (path === '/recovery_code' || (path === '/code' && credentials === 'code')) return t('error.factor_code_missing')
  if (credentials !== undefined && path === `/${credentials}`) return t('error.password_missing')
  if (path === '/email') return t(code === 'unchanged' ? 'error.email_unchanged' : 'error.email')
  if (path === '/name' || path === '/device_name') return t('error.name')
  if (path === '/code' || path === '/confirm') return t('error.code')
  if (path === '/token') return t('link.incomplete')
  if (!path.endsWith('password')) return t('error.field')
  switch (code) {
    case 'password_too_weak':
      return t('error.password_weak')
    case 'too_big':
      return t('error.password_long')
    case 'unchanged':
      return t('error.password_unchanged')
    case 'too_small':
      return t('error.password_short', { min: minLength })
    default:
      return t('error.password_missing')
  }
}
