import { z } from 'zod'
import { text } from '../../platform/http/text.js'
import type { BegunTotp } from './enrolling.js'

/** How a user calls a factor. */
export const factorNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Phone'] })

/** Not judged here: a wrong code is counted and refused with 401, not 422. */
export const totpCodeSchema = text({ min: 1, max: 40 }).meta({
  description: 'The six digits that the authenticator app shows. Spaces are ignored.',
  examples: ['123456'],
})

export const recoveryCodeSchema = text({ min: 1, max: 100 }).meta({
  description: 'One of the recovery codes. Each counts once.',
  examples: ['7KQ2-9XHD-M3TP-W8RA-5VZE-C4N6'],
})

export const recoveryCodesSchema = z.array(z.string()).meta({
  description: 'The recovery codes, which are shown only here.',
  examples: [['7KQ2-9XHD-M3TP-W8RA-5VZE-C4N6']],
})

export const totpBegunSchema = z
  .object({
    id: z.uuid(),
    secret: z.string().meta({ description: 'Base32, for people who cannot scan the QR code.' }),
    uri: z.string().meta({ description: 'For the QR code that authenticator apps scan.' }),
    expires_at: z.iso.datetime().meta({ description: 'Until when a first code has to confirm it.' }),
  })
  .meta({
    id: 'BegunTotp',
    description: 'An authenticator app that a first code has to confirm. The secret is shown only here.',
    examples: [
      {
        id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
        secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
        uri: 'otpauth://totp/Sallyport:ada%40example.com?issuer=Sallyport&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30',
        expires_at: '2026-01-01T00:10:00.000Z',
      },
    ],
  })

export function presentTotp({ id, secret, uri, expiresAt }: BegunTotp): z.output<typeof totpBegunSchema> {
  return { id, secret, uri, expires_at: expiresAt.toISOString() }
}
