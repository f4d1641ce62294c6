/**
 * Traces of requests, with OpenTelemetry. A span records how long an operation took and how it ended, under a name from
 * this program: it contains no addresses, headers, bodies or messages, because all of them may contain secrets.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context, Span, SpanOptions } from '@opentelemetry/api'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../problem.js'

export interface Tracing {
  readonly enabled: boolean
  /** Opens the span of a request, as a child of the caller's if a `traceparent` (W3C Trace Context) names one. */
  openRequest(traceparent: string | undefined): RequestSpan | null
  /** The same object, except that each of the named functions runs in a span of its name. */
  traced<T extends object>(object: T, names: { [Name in keyof T]?: string }): T
  /** Sends the remaining spans, and ends. */
  close(): Promise<void>
}

export interface RequestSpan {
  /** Runs work such that the spans that it opens are children of this one. */
  run<T>(work: () => T): T
  end(name: string, attributes: Record<string, string | number>, isFault: boolean): void
}

/** Tracing of a process that does not export traces. */
export const noTracing: Tracing = {
  enabled: false,
  openRequest: () => null,
  traced: (object) => object,
  close: () => Promise.resolve(),
}

/** How long shutdown waits for a collector that does not respond. */
const CLOSE_WITHIN_MS = 2_000

/**
 * Traces that are sent to the collector configured in the environment (OTEL_EXPORTER_OTLP_ENDPOINT and so on, which the
 * libraries read themselves). They are loaded only here.
 */
export async function createTracing({ version, log }: { version: string; log: FastifyBaseLogger }): Promise<Tracing> {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = await import('@opentelemetry/api')
  const { parseTraceParent, setGlobalErrorHandler } = await import('@opentelemetry/core')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const { detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources')
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base')

  setGlobalErrorHandler((error) => log.warn({ err: error }, 'traces could not be exported'))
  const ours = resourceFromAttributes({ 'service.name': 'sallyport', 'service.version': version })
  const provider = new BasicTracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  const tracer = provider.getTracer('sallyport', version)
  const contexts = new AsyncLocalStorage<Context>()
  const open = (name: string, options: SpanOptions, parent: Context) => {
    const span = tracer.startSpan(name, options, parent)
    return { span, context: trace.setSpan(parent, span) }
  }

  async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
    const parent = contexts.getStore()
    // Work of the process itself, such as reading the revocations twice a second, belongs to no request.
    if (parent === undefined) return work()
    const { span, context } = open(name, { kind: SpanKind.INTERNAL }, parent)
    try {
      return await contexts.run(context, work)
    } catch (error) {
      markFailed(span, error)
      throw error
    } finally {
      span.end()
    }
  }

  function markFailed(span: Span, error: unknown): void {
    span.setAttribute('error.type', typeOf(error))
    if (!(error instanceof Problem)) span.setStatus({ code: SpanStatusCode.ERROR })
  }

  return {
    enabled: true,

    openRequest(traceparent) {
      const caller = traceparent === undefined ? null : parseTraceParent(traceparent)
      const parent = caller ? trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true }) : ROOT_CONTEXT
      const { span, context } = open('request', { kind: SpanKind.SERVER }, parent)
      return {
        run: (work) => contexts.run(context, work),
        end(name, attributes, isFault) {
          span.updateName(name).setAttributes(attributes)
          if (isFault) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },

    traced(object, names) {
      const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(object)) as typeof object
      for (const [property, name] of Object.entries(names) as [keyof typeof object, string][]) {
        const work = object[property] as (...args: unknown[]) => Promise<unknown>
        const inSpan = (...args: unknown[]) => within(name, () => work(...args))
        Object.defineProperty(copy, property, { value: inSpan, enumerable: true })
      }
      return copy
    },

    async close() {
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_WITHIN_MS)))
      await Promise.race([provider.shutdown().catch(() => undefined), patience])
      clearTimeout(timer)
    },
  }
}

/** A code of Sallyport, or the class of the error. The message may contain anything. */
function typeOf(error: unknown): string {
  if (error instanceof Problem) return error.code
  return error instanceof Error ? error.constructor.name : typeof error
}
