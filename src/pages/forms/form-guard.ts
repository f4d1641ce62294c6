import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../platform/problem.js'
import type { FormTokens } from './form-tokens.js'

/** The name of the hidden field with the form's token. */
export const TOKEN_FIELD = 'csrf'

/**
 * Refuses every form that is not one of our own pages: by the headers in which a browser says where a form comes from, and
 * by the form's token. Origins of CORS_ORIGINS may call the API, but send no forms.
 */
export function guardForms(
  scope: FastifyInstance,
  { formTokens, publicUrl }: { formTokens: FormTokens; publicUrl: string },
): void {
  const { origin, protocol } = new URL(publicUrl)
  scope.addHook('preHandler', (request, _reply, done) => {
    const isForm = request.method === 'POST'
    // A trial over plain http has many addresses, such as that of the machine in its network.
    const trial = protocol === 'http:' ? [`http://${request.headers.host ?? ''}`] : []
    const isOwn = !isForm || (isFromOwnPage(request, [origin, ...trial]) && hasToken(request, formTokens))
    done(isOwn ? undefined : new Problem('cross_site_request'))
  })
}

/** Whether the browser says that one of our pages sent the form, or nothing: then its token decides. */
function isFromOwnPage({ headers }: FastifyRequest, origins: readonly string[]): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  return headers.origin === undefined || origins.includes(headers.origin)
}

function hasToken(request: FastifyRequest, formTokens: FormTokens): boolean {
  const { body } = request
  return typeof body === 'object' && body !== null && formTokens.isGenuine(request, Reflect.get(body, TOKEN_FIELD))
}
