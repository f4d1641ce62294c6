import { accessCodes } from './problems/access.js'
import { clientCodes } from './problems/client.js'
import { refreshCodes } from './problems/refresh.js'
import { requestCodes } from './problems/request.js'
import { serverCodes } from './problems/server.js'
import { signInCodes } from './problems/sign-in.js'

/**
 * Every way in which Sallyport says no, from the files of the areas. A code is API: clients branch on it, so it never
 * changes its meaning. `type` of a problem (RFC 9457, section 3.1.1) is `/problems/<code>`, a page that shows what
 * stands here.
 */
export const problemCodes = {
  ...requestCodes,
  ...accessCodes,
  ...refreshCodes,
  ...signInCodes,
  ...clientCodes,
  ...serverCodes,
}

export type ProblemCode = keyof typeof problemCodes
