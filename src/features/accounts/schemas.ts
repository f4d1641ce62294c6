import { z } from 'zod'
import { text } from '../../platform/http/text.js'

/**
 * One address, as <input type="email"> accepts it: ASCII only, so that a look-alike in another script cannot match
 * another user's address. Stored and compared in lower case.
 */
export const emailSchema = z
  .string()
  .trim()
  .max(254)
  .regex(z.regexes.html5Email, 'Must be an e-mail address, such as ada@example.com')
  .toLowerCase()
  .meta({ format: 'email', examples: ['ada@example.com'] })

export const nameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Ada Lovelace'] })

export const rolesSchema = z
  .array(z.string().regex(/^[\w:.-]{1,64}$/, 'Must be 1 to 64 letters, digits, colons, dots, underscores or hyphens'))
  .max(50)
  .meta({ examples: [['admin', 'auditor']] })
