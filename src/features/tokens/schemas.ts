import { z } from 'zod'
import { publicJwkSchema } from './algorithms.js'

export const jwksSchema = z
  .object({
    keys: z.array(publicJwkSchema.and(z.object({ kid: z.string(), alg: z.string(), use: z.literal('sig') }))),
  })
  .meta({
    description: 'JSON Web Key Set (RFC 7517) with the next, the active and the recently retired keys.',
    // The key of RFC 7517, appendix A.1, under its thumbprint.
    examples: [
      {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
            y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
            kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
            alg: 'ES256',
            use: 'sig',
          },
        ],
      },
    ],
  })
