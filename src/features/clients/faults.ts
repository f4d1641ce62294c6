import { Problem } from '../../platform/problem.js'

/** A refusal that names what is wrong by the name of RFC 7591. */
export function fault(member: string, message: string): Problem {
  return new Problem('validation_failed', { errors: [{ path: `/${member}`, code: 'custom', message }] })
}
