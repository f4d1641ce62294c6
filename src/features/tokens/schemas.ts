import { z } from 'zod'
import { publicJwkSchema } from './algorithms.js'

export const jwksSchema = z
  .object({
    keys: z.array(publicJwkSchema.and(z.object({ kid: z.string(), alg: z.string(), use: z.literal('sig') }))),
  })
  .meta({
    description: 'JSON Web Key Set (RFC 7517) with the next, the active and the recently retired keys.',
    // The key of RFC 8037, appendix A, under its thumbprint.
    examples: [
      {
        keys: [
          {
            kty: 'OKP',
            crv: 'Ed25519',
            x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
            kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
            alg: 'EdDSA',
            use: 'sig',
          },
        ],
      },
    ],
  })
