import { z } from 'zod'

export interface TextOptions {
  /** In code points, which is what people count and what JSON Schema counts. */
  min?: number
  max: number
  /** Takes control characters too, for what is compared and never shown, such as a password. */
  isSecret?: boolean
}

/**
 * Text that any store and any other system can take as it is, and show in one line: well-formed Unicode without control
 * characters, line breaks and direction marks, with which a name could pass for other text. Lengths are in code points.
 */
export function text({ min = 0, max, isSecret = false }: TextOptions) {
  return z
    .string()
    .check((context) => {
      const value = context.value
      const fault = findFault(value, isSecret)
      if (fault !== null) {
        context.issues.push({ code: 'custom', input: value, message: fault, continue: value.isWellFormed() })
      }
      const length = countCodePoints(value)
      if (length < min) {
        const message = `Must have at least ${min} characters`
        context.issues.push({
          code: 'too_small',
          origin: 'string',
          minimum: min,
          inclusive: true,
          input: value,
          message,
        })
      }
      if (length > max) {
        const message = `Must have at most ${max} characters`
        context.issues.push({ code: 'too_big', origin: 'string', maximum: max, inclusive: true, input: value, message })
      }
    })
    .meta({ ...(min > 0 ? { minLength: min } : {}), maxLength: max })
}

function findFault(value: string, isSecret: boolean): string | null {
  if (!value.isWellFormed()) return 'Must be well-formed Unicode'
  // Postgres cannot hold it.
  if (value.includes('\0')) return 'Must not contain NUL characters'
  const isShowable = !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(value)
  return isSecret || isShowable ? null : 'Must not contain control characters, line breaks or direction marks'
}

/** How many characters a person would count in most scripts: surrogate pairs are one. */
export function countCodePoints(value: string): number {
  return Array.from(value).length
}
