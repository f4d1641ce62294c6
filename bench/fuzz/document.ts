import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { z } from 'zod'

/** The part of JSON Schema that the bodies and parameters of requests use. */
export interface Schema {
  type?: string | string[] | undefined
  enum?: unknown[] | undefined
  const?: unknown
  properties?: Record<string, Schema> | undefined
  required?: string[] | undefined
  items?: Schema | undefined
  anyOf?: Schema[] | undefined
  format?: string | undefined
  pattern?: string | undefined
  minLength?: number | undefined
  maxLength?: number | undefined
  minimum?: number | undefined
  maximum?: number | undefined
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required: boolean
  schema: Schema
}

/** One operation of the API, as described in the document. */
export interface Operation {
  id: string
  method: string
  /** With parameters in braces. */
  path: string
  /** The names of the security schemes, any of which is sufficient. */
  security: string[]
  parameters: Parameter[]
  body: { mediaType: string; schema: Schema } | null
  answers: Map<number, DescribedAnswer>
}

export interface DescribedAnswer {
  /** None for a response without a body. */
  mediaType: string | null
  /** Whether a body matches its schema. */
  fits: ValidateFunction | null
  /** The documented problem codes. */
  codes: Set<string>
}

const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    properties: z.record(z.string(), schemaSchema).optional(),
    required: z.array(z.string()).optional(),
    items: schemaSchema.optional(),
    anyOf: z.array(schemaSchema).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
)

const mediaSchema = z.record(
  z.string(),
  z.object({ schema: schemaSchema, examples: z.record(z.string(), z.unknown()).optional() }),
)

const operationSchema = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query', 'header', 'cookie']),
        required: z.boolean().default(false),
        schema: schemaSchema,
      }),
    )
    .default([]),
  requestBody: z.object({ content: mediaSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: mediaSchema.optional() })),
})

const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) })

const DOCUMENT = 'api'

/** Reads an OpenAPI 3.1 document. Request bodies must not use references. */
export function readDocument(document: object): Operation[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: true })
  formats.default(ajv)
  ajv.addSchema({ ...document, $id: DOCUMENT })

  const { paths } = documentSchema.parse(document)
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId: id, security, parameters, requestBody, responses }]) => {
      const [body] = Object.entries(requestBody?.content ?? {})
      const answers = Object.entries(responses).map(([status, { content }]): [number, DescribedAnswer] => {
        const [media] = Object.entries(content ?? {})
        if (media === undefined) return [Number(status), { mediaType: null, fits: null, codes: new Set() }]
        const [mediaType, { examples = {} }] = media
        const place = ['paths', path, method, 'responses', status, 'content', mediaType, 'schema']
        const fits = ajv.compile({ $ref: `${DOCUMENT}#/${place.map(escapePointer).join('/')}` })
        return [Number(status), { mediaType, fits, codes: new Set(Object.keys(examples)) }]
      })
      return {
        ...{ id, method: method.toUpperCase(), path, parameters },
        security: security.flatMap((way) => Object.keys(way)),
        body: body === undefined ? null : { mediaType: body[0], schema: body[1].schema },
        answers: new Map(answers),
      }
    }),
  )
}

/** RFC 6901, in a URI fragment. */
function escapePointer(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}
