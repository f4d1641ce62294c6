// The part of the OpenAPI document from which the collection is generated.

import { z } from 'zod'

/** The authentication that a request needs. */
export type Access = 'none' | 'access token' | 'verifier'

export interface Operation {
  id: string
  method: string
  path: string
  /** The summary, and the description in the document. */
  description: string
  access: Access
  answers: DescribedAnswer[]
}

/** One documented response. A refusal has a code. */
export interface DescribedAnswer {
  status: number
  code: string | null
  mediaType: string | null
  /** Null if the response has no body. */
  example: unknown
  /** The members that every such body has. */
  required: string[]
}

const schemaSchema = z.object({
  $ref: z.string().optional(),
  required: z.array(z.string()).default([]),
  examples: z.array(z.unknown()).default([]),
})
type Schema = z.infer<typeof schemaSchema>

const mediaSchema = z.object({
  schema: schemaSchema,
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
})

const operationSchema = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.unknown())),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), mediaSchema).default({}) })),
})

const documentSchema = z.object({
  servers: z.tuple([z.object({ url: z.string() })]),
  components: z.object({ schemas: z.record(z.string(), schemaSchema) }),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
})
type Document = z.infer<typeof documentSchema>

export interface Description {
  serverUrl: string
  operations: Map<string, Operation>
}

export function readDocument(json: unknown): Description {
  const document = documentSchema.parse(json)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId: id, summary, description, security, responses }]) => ({
      id,
      method: method.toUpperCase(),
      path,
      description: description === undefined ? `${summary}.` : `${summary}. ${description}`,
      access: accessOf(security.flatMap((way) => Object.keys(way))),
      answers: Object.entries(responses).flatMap(([status, { content }]) =>
        answersOf(`${id} ${status}`, Number(status), content, document),
      ),
    })),
  )
  return {
    serverUrl: document.servers[0].url,
    operations: new Map(operations.map((operation) => [operation.id, operation])),
  }
}

function accessOf(schemes: string[]): Access {
  if (schemes.includes('verifier')) return 'verifier'
  return schemes.includes('accessToken') ? 'access token' : 'none'
}

function answersOf(
  place: string,
  status: number,
  content: Record<string, z.infer<typeof mediaSchema>>,
  { components }: Document,
): DescribedAnswer[] {
  const [[mediaType, media] = [null, null]] = Object.entries(content)
  if (mediaType === null) return [{ status, code: null, mediaType, example: null, required: [] }]
  const schema = resolve(media.schema, components.schemas)
  const named = Object.entries(media.examples ?? {}).map(([code, { value }]) => ({ code, example: value }))
  const plain = media.example === undefined ? schema.examples : [media.example]
  const examples = named.length > 0 ? named : plain.map((example) => ({ code: null, example }))
  if (examples.length === 0) throw new Error(`${place} has no example in the document.`)
  return examples.map(({ code, example }) => ({ status, code, mediaType, example, required: schema.required }))
}

function resolve(schema: Schema, shared: Record<string, Schema>): Schema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return (name === undefined ? undefined : shared[name]) ?? schema
}
