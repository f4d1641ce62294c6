import type { FastifyInstance } from 'fastify'
import { Problem } from '../problem.js'
import { isPlainUtf8 } from './body.js'

export const FORM_ADVICE = 'Send "Content-Type: application/x-www-form-urlencoded", in UTF-8.'
export const PARAMETER_TWICE = 'A parameter is there twice.'

/**
 * Makes forms the only kind of body that a scope reads, as the routes of OAuth want it (RFC 6749, appendix B).
 * A parameter that comes twice is refused (section 3.2): two readers could take different ones.
 */
export function readFormBodies(scope: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, bytes, done) => {
      if (!isPlainUtf8(request)) {
        done(new Problem('unsupported_media_type', { detail: FORM_ADVICE }))
        return
      }
      try {
        const entries = [...new URLSearchParams(utf8.decode(bytes))]
        const names = new Set(entries.map(([name]) => name))
        if (names.size < entries.length) done(new Problem('invalid_request', { detail: PARAMETER_TWICE }))
        else done(null, Object.fromEntries(entries))
      } catch {
        done(new Problem('invalid_request', { detail: 'The body is not UTF-8.' }))
      }
    },
  )
}
