import { z } from 'zod'
import { generateSecretKey } from '../platform/crypto/secret-keys.js'
import { createVerifierCredential } from '../features/clients/clients.js'
import { CommandError } from './command.js'
import { readOptions } from './options.js'

/** Commands that generate values for the settings, and need neither settings nor a database themselves. */
export const credentialCommands: Record<string, (args: string[]) => string[]> = {
  secret(args) {
    readOptions(args, {})
    return [generateSecretKey()]
  },

  'verifier:create'(args) {
    const { name } = readOptions(args, { name: { type: 'string' } })
    if (!verifierNameSchema.safeParse(name).success) {
      throw new CommandError(
        '--name is required: 1 to 64 letters, digits, dots, underscores or hyphens, such as --name orders.',
      )
    }
    const { credential, sha256 } = createVerifierCredential()
    return [
      'The credential of the service. It is shown only once:',
      `  ${credential}`,
      'Add this entry to VERIFIER_KEYS (comma-separated) and restart:',
      `  ${String(name)}:${sha256}`,
    ]
  },
}

const verifierNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i)
