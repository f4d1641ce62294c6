import { text } from '../../platform/http/text.js'

/**
 * Code points as they are typed. How many there may be after NFKC, which joins an accent with its letter, is judged
 * where passwords are set.
 */
const MAX_TYPED_LENGTH = 1024

/** A password as it is typed in: compared whole, so a longer one is refused, never cut. */
export const passwordSchema = text({ min: 1, max: MAX_TYPED_LENGTH, isSecret: true }).meta({
  format: 'password',
  description: 'At most 256 characters after NFKC normalization.',
  examples: ['copper lantern drifts over seven hills'],
})
