import { Secret, TOTP } from 'otpauth'

/** 160 bits, as long as the hash of HMAC-SHA-1 (RFC 4226, section 4, requirement R6). */
const SECRET_BYTES = 20
const PERIOD_SECONDS = 30
/** How many time steps a code may be early or late (RFC 6238, section 5.2). */
const WINDOW = 1

/** Generates the secret of an authenticator app. */
export function generateTotpSecret(): Buffer {
  return Buffer.from(new Secret({ size: SECRET_BYTES }).bytes)
}

/** The secret as people type it: base32 (RFC 4648, section 6). */
export function toBase32(secret: Buffer): string {
  return secretOf(secret).base32
}

/** The address that authenticator apps read from a QR code. */
export function totpUri(secret: Buffer, { issuer, account }: { issuer: string; account: string }): string {
  return new TOTP({ issuer, label: account, secret: secretOf(secret), period: PERIOD_SECONDS }).toString()
}

/**
 * The time step whose code this is: the present one, or one earlier or later (MFA-02); null for any other code. Spaces are
 * ignored.
 */
export function stepOfCode(secret: Buffer, code: string, now: Date): number | null {
  const timestamp = now.getTime()
  const delta = TOTP.validate({
    token: code.replaceAll(/\s/g, ''),
    secret: secretOf(secret),
    period: PERIOD_SECONDS,
    timestamp,
    window: WINDOW,
  })
  return delta === null ? null : TOTP.counter({ period: PERIOD_SECONDS, timestamp }) + delta
}

/** The library reads the whole buffer behind the bytes, so it gets one of its own. */
function secretOf(bytes: Buffer): Secret {
  return new Secret({ buffer: new Uint8Array(bytes).buffer })
}
