import { z } from 'zod'
import { text } from '../../platform/http/text.js'

/**
 * One address, as the browser's own <input type="email"> has it: ASCII only, so that no look-alike of another script
 * folds into somebody else's. Kept and compared in lower case.
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
