import { z } from 'zod'

export interface TextBounds {
  /** In code points, which is what people count and what JSON Schema counts. */
  min?: number
  max: number
}

/**
 * Text that any store and any other system can take as it is: well-formed Unicode without the character NUL, which
 * Postgres cannot hold. Lengths are in code points.
 */
export function text({ min = 0, max }: TextBounds) {
  return z
    .string()
    .check((context) => {
      const value = context.value
      if (!value.isWellFormed()) {
        context.issues.push({ code: 'custom', input: value, message: 'Must be well-formed Unicode', continue: false })
      } else if (value.includes('\0')) {
        context.issues.push({ code: 'custom', input: value, message: 'Must not contain NUL characters' })
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

/** How many characters a person would count in most scripts: surrogate pairs are one. */
export function countCodePoints(value: string): number {
  return Array.from(value).length
}
