import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import { fastify, type FastifyBaseLogger } from 'fastify'
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { AppInstance } from './app-instance.js'
import { refuseBlockedAddresses, type BlockedAddresses } from './blocked-addresses.js'
import { BODY_LIMIT_BYTES, readJsonBodies } from './body.js'
import { basePathOf, withoutBasePath } from './base-path.js'
import { allowOrigins, corsHeaders } from './cors.js'
import { HEADER_LIMIT_BYTES, refuseMalformed, setResponseHeaders } from './response-headers.js'
import { createEventStreams, type EventStreams } from './event-stream.js'
import { trustListed, warnOfUnlistedProxies } from './forwarding.js'
import { limitHandlerTime } from './handler-timeout.js'
import { RequestLog } from './logging.js'
import { describeApi, documentCommonProblems } from './openapi.js'
import { mountProblemPages } from './problem-pages.js'
import { createRequestLogger } from './request-logger.js'
import { answerBadFraming, answerErrors, answerFrameworkErrors } from './error-handler.js'
import { securityHeaders } from './security-headers.js'
import { stopGracefully } from './graceful-shutdown.js'
import { answerNotFound } from './not-found.js'
import { takeTurns } from './turns.js'
import { validateByZod } from './validation.js'

// Beyond the limit of 16 KiB, so that the refusal can be read by pages: browsers send all cookies of a host, those of other
// applications too. What exceeds this as well is refused by Node.
const PARSER_LIMIT_BYTES = 64 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 15_000
const HANDLER_LONGEST_MS = 10_000
// Longer than a proxy keeps its connections (60 s is usual): the side that sends requests must be the first to close.
const KEEP_ALIVE_TIMEOUT_MS = 65_000
// How long a connection may make no progress while a request is answered: its client does not read.
const STALLED_MS = 30_000
// How often Node looks for connections past their time; its default of 30 s would triple the first two limits.
const CONNECTIONS_CHECK_MS = 1000
// Longer than clients that are at work pause between two requests.
const DRAIN_MS = 1000

export interface HttpServerOptions {
  /**
   * Whether requests begin in turns of the event loop, because the database shares its thread. Else turns are short
   * enough, and a queue would only delay requests where each comes on a connection of its own.
   */
  takesTurns?: boolean
  /** The public URL; HSTS is sent if it is https. Routes are also served below its path. */
  publicUrl: string
  /** Origins whose scripts may read answers. */
  corsOrigins: readonly string[]
  /** IPs and CIDRs of the proxies whose X-Forwarded-For counts; none by default. */
  trustProxy: readonly string[]
  /** Addresses that may only use the probes; none by default. */
  blocked?: BlockedAddresses
  /** A monotonic clock, for rate-limited log lines. */
  elapsedMs?: () => number
  logger: FastifyBaseLogger | false
  /** Whether the API's document and the page to try it are served; they are by default. */
  docs?: boolean
  /** The version in the OpenAPI document. */
  version?: string
  /** Event streams of routes, which a shutdown closes first. */
  streams?: EventStreams
  /** How long a client may read nothing of an answer before its connection is closed. */
  stalledMs?: number
  /** How long a handler may take, the arrival of the body included. */
  handlerLongestMs?: number
  /** The names of the cookies that carry tokens, for the API's description. */
  cookieNames: { access: string; refresh: string }
}

/**
 * An HTTP server without routes of its own but for its description and the pages about problems. Everything that
 * holds for every route is set here: limits, headers, how bodies are read and how refusals are told.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<AppInstance> {
  const {
    streams = createEventStreams(),
    handlerLongestMs = HANDLER_LONGEST_MS,
    elapsedMs = () => performance.now(),
  } = options
  const headers = securityHeaders(options.publicUrl)
  const basePath = basePathOf(options.publicUrl)
  const withoutHooks = { basePath, always: headers, cors: corsHeaders(options.corsOrigins) }
  const app: AppInstance = fastify({
    ...(options.logger === false ? {} : { loggerInstance: options.logger }),
    logController: new RequestLog(),
    childLoggerFactory: createRequestLogger,
    genReqId: () => randomUUID(),
    ...(basePath !== '' && { rewriteUrl: withoutBasePath(basePath) }),
    trustProxy: options.trustProxy.length === 0 ? false : trustListed(options.trustProxy),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionTimeout: options.stalledMs ?? STALLED_MS,
    http: {
      maxHeaderSize: PARSER_LIMIT_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      // A missing Host is answered as a problem instead.
      requireHostHeader: false,
    },
    // The limit on the whole address governs.
    routerOptions: { maxParamLength: HEADER_LIMIT_BYTES },
    // While it stops, requests on open connections are still served, each with `Connection: close`.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: answerFrameworkErrors(withoutHooks),
    clientErrorHandler: answerBadFraming(withoutHooks),
  }).withTypeProvider<ZodTypeProvider>()

  // An expectation that is not known may be ignored (RFC 9110, section 10.1.1); Node would answer 417 without a body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))

  app.setValidatorCompiler(validateByZod)
  app.setSerializerCompiler(serializerCompiler)
  if (options.takesTurns === true) takeTurns(app)
  readJsonBodies(app)
  answerErrors(app, { basePath })
  stopGracefully(app, { drainMs: DRAIN_MS, longestMs: HANDLER_LONGEST_MS, streams })
  limitHandlerTime(app, handlerLongestMs)
  setResponseHeaders(app, headers)
  await allowOrigins(app, options.corsOrigins)
  refuseMalformed(app)
  warnOfUnlistedProxies(app, { trustProxy: options.trustProxy, elapsedMs })
  if (options.blocked) refuseBlockedAddresses(app, options.blocked)
  answerNotFound(app)
  // Cookies are read with readCookies, which sees all of one name.
  await app.register(cookie, { hook: false })
  if (options.docs ?? true) {
    await describeApi(app, {
      publicUrl: options.publicUrl,
      version: options.version ?? '0.0.0',
      cookieNames: options.cookieNames,
    })
  }
  documentCommonProblems(app)
  mountProblemPages(app)
  return app
}
