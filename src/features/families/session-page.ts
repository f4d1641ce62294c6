import { Problem } from '../../platform/problem.js'
import { isUuid } from '../../platform/uuid.js'
import type { LifeLimits } from './family.js'

/** The place of a session in the list of its user's. */
export interface Place {
  lastUsedAt: Date
  id: string
}

export interface Page extends LifeLimits {
  /** Those that ended, or those that live. */
  ended: boolean
  /** The last of the page before; null for the first page. */
  after: Place | null
  size: number
}

/** A place as clients hand it back, who need not know what is in it. */
export function formatCursor({ lastUsedAt, id }: Place): string {
  return Buffer.from(`${lastUsedAt.getTime()} ${id}`).toString('base64url')
}

/** Throws `validation_failed` for any other text. */
export function parseCursor(text: string): Place {
  const [, time = '', id = ''] = /^(\d{1,13}) (\S+)$/.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? []
  if (isUuid(id)) return { lastUsedAt: new Date(Number(time)), id }
  throw new Problem('validation_failed', {
    errors: [{ path: '/cursor', code: 'custom', message: 'Must be a next_cursor of this list' }],
  })
}
