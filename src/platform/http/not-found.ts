import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Responds to requests without a route before any body is read: unknown URLs with 404, unsupported methods with 405 and
 * `Allow`. The router determines the methods of a URL, so that parameters and wildcards are matched as usual.
 */
export function answerNotFound(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    // A preflight of a listed origin never gets here; of OPTIONS, it leaves the plain question what is allowed, which a
    // route that takes every method answers itself.
    const isQuestion = request.method === 'OPTIONS' && request.routeOptions.config.access === undefined
    const isNotFound = request.is404 || isQuestion
    if (isNotFound) answer(app, request, reply)
    else done()
  })
  app.setNotFoundHandler((request, reply) => {
    answer(app, request, reply)
  })
}

function answer(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  const allowed = allowedMethods(app, request.url)
  const allow = [...allowed, 'OPTIONS'].join(', ')
  // A route for the method may have found nothing to serve, as the one for static files does.
  if (allowed.length === 0 || allowed.includes(request.method)) throw new Problem('not_found')
  if (request.method !== 'OPTIONS') throw new Problem('method_not_allowed', { headers: { allow } })
  void reply.code(204).header('allow', allow).send()
}

function allowedMethods(app: FastifyInstance, url: string): string[] {
  return methods.filter((method) => isRouted(app, method, url))
}

function isRouted(app: FastifyInstance, method: string, url: string): boolean {
  const route: unknown = app.findRoute({ method, url })
  return route !== null
}
