import { z } from 'zod'
import { text } from '../../platform/http/text.js'

export const nameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Ada Lovelace'] })

export const rolesSchema = z
  .array(z.string().regex(/^[\w:.-]{1,64}$/, 'Must be 1 to 64 letters, digits, colons, dots, underscores or hyphens'))
  .max(50)
  .meta({ examples: [['admin', 'auditor']] })
