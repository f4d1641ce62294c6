import { MIMEType } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'

export const BODY_LIMIT_BYTES = 16 * 1024
const MAX_NESTING = 10

/** Makes JSON in UTF-8 the only kind of body that is read. An empty body counts as none. */
export function readJsonBodies(app: FastifyInstance): void {
  // Keys named __proto__, and constructor with a prototype in it, are refused: whatever copies such an object is at risk.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  const utf8 = new TextDecoder('utf-8', { fatal: true })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (!isPlainUtf8(request)) {
      done(new Problem('unsupported_media_type'))
      return
    }
    if (bytes.length === 0) {
      done(null, undefined)
      return
    }
    let text
    try {
      text = utf8.decode(bytes)
    } catch {
      done(new Problem('invalid_request', { detail: 'The body is not UTF-8.' }))
      return
    }
    void parseJson(request, text, (error, value) => {
      if (error)
        done(new Problem('invalid_request', { detail: 'The body is not valid JSON, or contains a forbidden key.' }))
      else if (isNestedDeeperThan(MAX_NESTING, value)) {
        done(new Problem('invalid_request', { detail: `The body is nested more than ${MAX_NESTING} levels deep.` }))
      } else done(null, value)
    })
  })
}

/** The only charset is UTF-8, as that of JSON always is (RFC 8259, section 8.1), and no coding such as gzip is undone. */
export function isPlainUtf8(request: FastifyRequest): boolean {
  const coding = request.headers['content-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return false
  try {
    const charset = new MIMEType(request.headers['content-type'] ?? '').params.get('charset')
    return charset === null || /^utf-?8$/i.test(charset)
  } catch {
    return false
  }
}

/** Whether a parsed value has more than so many objects and arrays inside each other. */
export function isNestedDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((member) => isNestedDeeperThan(levels - 1, member))
}
