import { z } from 'zod'
import type { AppInstance } from '../../src/platform/http/app-instance.js'

/** One operation as the application describes it, so that a test of every route includes new ones automatically. */
export interface Operation {
  id: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces, such as `/v1/sessions/{id}`. */
  path: string
  summary: string
  tags: string[]
  /** The alternatives for authentication, each a set of security schemes; an empty one means that none is needed. */
  security: string[][]
  statuses: number[]
  /** The documented problem codes. */
  problems: string[]
  /** The documented OAuth errors instead, on OAuth routes. */
  oauthErrors: string[]
  /** A JSON body. */
  body: { example: unknown; required: boolean } | null
  parameters: { name: string; in: string; example?: unknown }[]
}

const problemContent = z.object({
  'application/problem+json': z.object({ examples: z.record(z.string(), z.unknown()) }),
})

const oauthErrorContent = z.object({
  'application/json': z.object({
    schema: z.object({ $ref: z.literal('#/components/schemas/OAuthError') }),
    examples: z.record(z.string(), z.unknown()),
  }),
})

const operationSchema = z
  .object({
    operationId: z.string(),
    summary: z.string(),
    tags: z.array(z.string()).default([]),
    security: z.array(z.record(z.string(), z.array(z.string()))),
    parameters: z.array(z.object({ name: z.string(), in: z.string(), example: z.unknown().optional() })).default([]),
    requestBody: z
      .object({
        required: z.boolean(),
        content: z.union([
          z.strictObject({ 'application/json': z.object({ example: z.unknown() }) }),
          // The OAuth forms, which have their own tests.
          z.strictObject({ 'application/x-www-form-urlencoded': z.object({}) }),
        ]),
      })
      .optional(),
    responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })),
  })
  .transform(({ operationId: id, summary, tags, security, parameters, requestBody, responses }) => ({
    id,
    summary,
    tags,
    security: security.map((way) => Object.keys(way)),
    statuses: Object.keys(responses).map(Number),
    streams: JSON.stringify(responses['200'] ?? {}).includes('"text/event-stream"'),
    bodies: Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Object.values(content).map((media) => ({ status: Number(status), media })),
    ),
    problems: Object.values(responses).flatMap(({ content }) => {
      const parsed = problemContent.safeParse(content)
      return parsed.success ? Object.keys(parsed.data['application/problem+json'].examples) : []
    }),
    oauthErrors: Object.values(responses).flatMap(({ content }) => {
      const parsed = oauthErrorContent.safeParse(content)
      return parsed.success ? Object.keys(parsed.data['application/json'].examples) : []
    }),
    body:
      requestBody && 'application/json' in requestBody.content
        ? { example: requestBody.content['application/json'].example, required: requestBody.required }
        : null,
    parameters,
  }))

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.enum(['get', 'post', 'put', 'patch', 'delete']), operationSchema.optional())),
})

/** A body in the response of an operation, as documented. */
export interface DescribedAnswer {
  id: string
  status: number
  examples: unknown[]
  fits(body: unknown): boolean
}

const jsonSchemaSchema = z.custom<z.core.JSONSchema.JSONSchema>((value) => typeof value === 'object')

const mediaSchema = z.object({
  schema: jsonSchemaSchema,
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
})

const schemasSchema = z.object({
  components: z.object({ schemas: z.record(z.string(), jsonSchemaSchema) }),
})

/** Every response body in the application's OpenAPI document, including refusals. */
export function answersOf(server: AppInstance): DescribedAnswer[] {
  // The conversion back to zod expects shared schemas where JSON Schema has them.
  const document = JSON.stringify(server.swagger()).replaceAll('#/components/schemas/', '#/$defs/')
  const { schemas: $defs } = schemasSchema.parse(JSON.parse(document)).components
  return operationsIn(document).flatMap(({ id, bodies }) =>
    bodies.map(({ status, media }) => {
      const { schema, example, examples } = mediaSchema.parse(media)
      const shared = $defs[schema.$ref?.replace('#/$defs/', '') ?? '']
      const parser = z.fromJSONSchema({ ...schema, $defs })
      return {
        id,
        status,
        examples: [
          ...(example === undefined ? [] : [example]),
          ...Object.values(examples ?? {}).map(({ value }) => value),
          ...(schema.examples ?? shared?.examples ?? []),
        ],
        fits: (body) => parser.safeParse(body).success,
      }
    }),
  )
}

/** Every operation of the application's OpenAPI document whose response ends. */
export function operationsOf(server: AppInstance): Operation[] {
  return readOperations(server).filter(({ streams }) => !streams)
}

/** The operations that stream events. */
export function streamsOf(server: AppInstance): Operation[] {
  return readOperations(server).filter(({ streams }) => streams)
}

function readOperations(server: AppInstance): (Operation & { streams: boolean })[] {
  return operationsIn(JSON.stringify(server.swagger()))
}

function operationsIn(document: string) {
  const { paths } = documentSchema.parse(JSON.parse(document))
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) =>
      operation ? [{ ...operation, path, method: method.toUpperCase() as Operation['method'] }] : [],
    ),
  )
}

/** Whether it is for other services, whose credential no browser has. */
export function isForVerifiers({ security }: Operation): boolean {
  return security.flat().includes('verifier')
}

/** The path of an operation with its parameters filled in. */
export function pathOf({ path }: Operation, parameters: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => parameters[name] ?? crypto.randomUUID())
}
