import { Problem } from '../../platform/problem.js'

/** The refusal of a browser that has come back from a provider, and where it was going: pages lead it on from there. */
export class RefusedReturn extends Problem {
  constructor(
    { code, options }: Problem,
    /** As it was allowed when the browser left. */
    readonly returnTo: string,
  ) {
    super(code, options)
  }
}

/** Does the work of a browser that has come back; what it throws says where the browser was going. */
export async function towards<T>(returnTo: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof Problem ? new RefusedReturn(error, returnTo) : error
  }
}
