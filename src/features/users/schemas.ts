import { z } from 'zod'
import { text } from '../../platform/http/text.js'

/**
 * Code points as they are typed. How many there may be after NFKC, which joins an accent with its letter, is judged
 * where passwords are set.
 */
const MAX_TYPED_LENGTH = 1024

/**
 * One address, as the browser's own <input type="email"> has it: ASCII only, so that no look-alike of another script
 * folds into somebody else's. Kept and compared in lower case.
 */
export const emailSchema = z
  .string()
  .trim()
  .max(254)
  .regex(z.regexes.html5Email, 'An e-mail address, such as ada@example.com')
  .toLowerCase()
  .meta({ format: 'email', examples: ['ada@example.com'] })

/** A password as it is typed in: compared whole, so a longer one is refused, never cut. */
export const passwordSchema = text({ min: 1, max: MAX_TYPED_LENGTH }).meta({
  format: 'password',
  description: 'At most 256 characters once it is normalized (NFKC).',
  examples: ['correct horse battery staple'],
})

export const nameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Ada Lovelace'] })

export const rolesSchema = z
  .array(z.string().regex(/^[\w:.-]{1,64}$/, 'A role is 1 to 64 letters, digits or any of : . _ -'))
  .max(50)
  .meta({ examples: [['admin', 'auditor']] })

export const banReasonSchema = text({ min: 1, max: 500 }).meta({ examples: ['Sold the account'] })

export const patchMeSchema = z
  .strictObject({ name: nameSchema.nullable() })
  .meta({ examples: [{ name: 'Ada King, Countess of Lovelace' }] })

export const deleteMeSchema = z
  .strictObject({ password: passwordSchema })
  .meta({ examples: [{ password: 'correct horse battery staple' }] })

export const changePasswordSchema = z
  .strictObject({ current_password: passwordSchema, new_password: passwordSchema })
  .meta({
    examples: [
      { current_password: 'correct horse battery staple', new_password: 'violet otters juggle paper lanterns' },
    ],
  })
