import { accessCodes } from './problems/access.js'
import { clientCodes } from './problems/client.js'
import { flowCodes } from './problems/flows.js'
import { refreshCodes } from './problems/refresh.js'
import { requestCodes } from './problems/request.js'
import { serverCodes } from './problems/server.js'
import { signInCodes } from './problems/sign-in.js'
import { socialCodes } from './problems/social.js'

/**
 * All problem codes of Sallyport. A code is API: clients branch on it, so its meaning never changes. `type` of a problem
 * (RFC 9457, section 3.1.1) is `/problems/<code>`, a page with this documentation.
 */
export const problemCodes = {
  ...requestCodes,
  ...accessCodes,
  ...refreshCodes,
  ...signInCodes,
  ...flowCodes,
  ...socialCodes,
  ...clientCodes,
  ...serverCodes,
}

export type ProblemCode = keyof typeof problemCodes
