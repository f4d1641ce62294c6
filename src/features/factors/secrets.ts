import { open, seal, type Sealed } from '../../platform/crypto/sealing.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { StoredTotp } from './store.js'

const PURPOSE = 'totp-secret'

/** Encrypts the secret of a factor, bound to the factor's id (MFA-03). */
export function sealSecret(secrets: SecretKeys, id: string, secret: Buffer): Sealed {
  return seal(secrets, PURPOSE, secret, id)
}

/** The secret of a factor; null where the server secret that it was encrypted under is not listed any more. */
export function openSecret(
  secrets: SecretKeys,
  { id, secretId, sealedSecret }: Pick<StoredTotp, 'id' | 'secretId' | 'sealedSecret'>,
): Buffer | null {
  return open(secrets, PURPOSE, secretId, sealedSecret, id)
}
