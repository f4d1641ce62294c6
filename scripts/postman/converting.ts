// The interface to the converter, which has no types or stability guarantees, and returns far more than is used here.

import { z } from 'zod'
import { loadPackage } from './packages.js'

interface Converter {
  convert(
    input: { type: 'json'; data: object },
    options: Record<string, string | boolean>,
    callback: (error: Error | null, result: unknown) => void,
  ): void
}

const headerSchema = z.object({ key: z.string(), value: z.string(), description: z.string().optional() })
export type Header = z.infer<typeof headerSchema>

const bodySchema = z.discriminatedUnion('mode', [
  z.object({
    mode: z.literal('raw'),
    raw: z.string(),
    options: z.object({ raw: z.object({ language: z.string() }) }),
  }),
  z.object({
    mode: z.literal('urlencoded'),
    urlencoded: z.array(z.object({ key: z.string(), value: z.string() })),
  }),
])
export type Body = z.infer<typeof bodySchema>

const requestSchema = z.object({
  method: z.string(),
  header: z.array(headerSchema).default([]),
  body: bodySchema.optional(),
  url: z.object({ host: z.array(z.string()), path: z.array(z.string()) }),
})
export type ConvertedRequest = z.infer<typeof requestSchema>

const resultSchema = z.object({
  output: z.tuple([
    z.object({
      data: z.object({
        item: z.array(z.object({ item: z.array(z.object({ name: z.string(), request: requestSchema })) })),
      }),
    }),
  ]),
})

/** The request of each operation of an OpenAPI document, by operationId, filled with the document's examples. */
export async function convertOperations(document: unknown): Promise<Map<string, ConvertedRequest>> {
  const result = await convert(namedByOperation(document), {
    folderStrategy: 'Tags',
    requestParametersResolution: 'Example',
    alwaysInheritAuthentication: true,
  })
  const folders = resultSchema.parse(result).output[0].data.item
  return new Map(folders.flatMap(({ item }) => item.map(({ name, request }) => [name, request])))
}

function convert(data: object, options: Record<string, string | boolean>): Promise<unknown> {
  const converter = loadPackage<Converter>('openapi-to-postmanv2')
  return new Promise((resolve, reject) => {
    converter.convert({ type: 'json', data }, options, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

const namedSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
})

/**
 * Copies the document with each operationId as the summary, because the converter names requests by their summary and
 * drops the operationId.
 */
function namedByOperation(document: unknown): object {
  const named = structuredClone(namedSchema.parse(document))
  for (const operations of Object.values(named.paths)) {
    for (const operation of Object.values(operations)) operation.summary = operation.operationId
  }
  return named
}
