import { z } from 'zod'
import { recoveryCodeSchema, totpCodeSchema } from '../../features/factors/factors.js'
import { assertionSchema, attestationSchema } from '../../features/passkeys/passkeys.js'

/** A credential as the script of a passkey form writes it. */
const json = z.string().transform((text, context) => {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    context.addIssue({ code: 'custom', message: 'Must be JSON' })
    return z.NEVER
  }
})

export const codeForm = z.object({ code: totpCodeSchema })
export const recoveryCodeForm = z.object({ recovery_code: recoveryCodeSchema })
export const assertionForm = z.object({ credential: json.pipe(assertionSchema) })
export const attestationForm = z.object({ credential: json.pipe(attestationSchema) })
