import type { z } from 'zod'
import { fieldErrors } from '../../platform/http/validation.js'
import { Problem } from '../../platform/problem.js'

/** The fields of a form that a schema describes; throws `validation_failed`, as the API does. Others are ignored. */
export function readForm<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new Problem('validation_failed', { errors: fieldErrors(result.error.issues, 'body') })
}

/** One field as it was typed, to show it again; empty where there is none. */
export function typedField(body: unknown, name: string): string {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === 'string' ? value : ''
}
