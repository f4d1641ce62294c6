import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { $ZodType, safeParse } from 'zod/v4/core'
import type { AppInstance } from './app-instance.js'
import { basePathOf } from './base-path.js'
import { mountDocs } from './docs.js'
import { documentProblems } from './problem-responses.js'

export interface ApiDescription {
  publicUrl: string
  version: string
  /** The names of the two cookies that carry tokens. */
  cookieNames: { access: string; refresh: string }
}

/** Of these, a body is read whether the route wants one or not. */
const bodyMethods = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Describes every route mounted from now on: as a document for tools, and as a page to try them. */
export async function describeApi(
  app: AppInstance,
  { publicUrl, version, cookieNames }: ApiDescription,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sallyport',
        version,
        description: 'Stateless access tokens; rotating, revocable refresh tokens.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      // In the order in which a reader needs them.
      tags: [
        { name: 'Sign-in', description: 'Registration, login, refresh and logout.' },
        { name: 'Account', description: 'The current user.' },
        { name: 'Factors', description: 'Second factors and passkeys of the current user.' },
        { name: 'Sessions', description: 'The sessions of the current user.' },
        { name: 'Keys', description: 'Public keys for verifying access tokens.' },
        { name: 'Verifiers', description: 'For other services: revocations and introspection.' },
        { name: 'OpenID provider', description: 'For registered clients; only with `OAUTH=on`.' },
        { name: 'Operations', description: 'Health probes.' },
      ],
      components: {
        securitySchemes: {
          accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'at+jwt' },
          accessCookie: { type: 'apiKey', in: 'cookie', name: cookieNames.access },
          verifier: {
            type: 'http',
            scheme: 'bearer',
            description: 'A credential listed in VERIFIER_KEYS, or the secret of a client that may introspect.',
          },
          verifierByBasic: {
            type: 'http',
            scheme: 'basic',
            description: 'The same credential, with its name as the user name.',
          },
          refreshCookie: { type: 'apiKey', in: 'cookie', name: cookieNames.refresh },
        },
      },
    },
    transform: describeRoute,
    transformObject: describeDocument,
  })

  mountDocs(app, { basePath: basePathOf(publicUrl), describe: () => app.swagger() })
}

/** Adds to every route mounted from now on the refusals that all of its kind can meet. */
export function documentCommonProblems(app: AppInstance): void {
  app.addHook('onRoute', (route) => {
    documentProblems(route, 'invalid_request', 'overloaded')
    if (bodyMethods.has(String(route.method))) documentProblems(route, 'payload_too_large', 'unsupported_media_type')
    const { body, querystring, headers } = route.schema ?? {}
    if (body ?? querystring ?? headers) documentProblems(route, 'validation_failed')
  })
}

const OPTIONAL_BODY = 'x-optional-body'

/** Adds what the translation of the schemas leaves out: examples of answers, and that a body may be absent. */
const describeRoute: SwaggerTransform = (route) => {
  const described = jsonSchemaTransform(route)
  // Routes of plugins may come without a schema, whatever the type says.
  const response = memberOf(route.schema, 'response')
  const body = memberOf(route.schema, 'body')
  for (const [status, answer] of membersOf(response)) {
    for (const [mediaType, media] of membersOf(memberOf(answer, 'content'))) {
      const target = memberOf(memberOf(memberOf(described.schema.response, status), 'content'), mediaType)
      const examples = memberOf(media, 'examples')
      if (isRecord(target) && examples !== undefined) target.examples = examples
    }
  }
  const isOptional = body instanceof $ZodType && safeParse(body, undefined).success
  return isOptional ? { ...described, schema: { ...described.schema, [OPTIONAL_BODY]: true } } : described
}

const describeDocument: SwaggerTransformObject = (input) => {
  const document = jsonSchemaTransformObject(input)
  for (const [, path] of membersOf(document.paths)) {
    for (const [, operation] of membersOf(path)) {
      openObjects(memberOf(operation, 'responses'))
      markOptionalBody(operation)
    }
  }
  dropUnusedSchemas(document)
  return document
}

/** The plugin takes every body for required; those that are marked become optional here. */
function markOptionalBody(operation: unknown): void {
  if (!isRecord(operation) || operation[OPTIONAL_BODY] !== true) return
  Reflect.deleteProperty(operation, OPTIONAL_BODY)
  if (isRecord(operation.requestBody)) operation.requestBody.required = false
}

/** Answers may get new members at any time; a client that was generated from a closed schema would break on them. */
function openObjects(schema: unknown): void {
  if (!isRecord(schema)) return
  if (schema.additionalProperties === false) delete schema.additionalProperties
  for (const [, member] of membersOf(schema)) openObjects(member)
}

/** Every shared schema comes twice, as it is sent and as it is answered, and most are used in one way only. */
function dropUnusedSchemas(document: object): void {
  const schemas = memberOf(memberOf(document, 'components'), 'schemas')
  if (!isRecord(schemas)) return
  const references = () => new Set(JSON.stringify(document).match(/"#\/components\/schemas\/[^"]+"/g))
  let unused: string[]
  // Once more each time, because what is dropped may have been the only one to use another.
  do {
    const used = references()
    unused = Object.keys(schemas).filter((name) => !used.has(`"#/components/schemas/${name}"`))
    for (const name of unused) Reflect.deleteProperty(schemas, name)
  } while (unused.length > 0)
  for (const [name, schema] of Object.entries(schemas)) if (!name.endsWith('Input')) openObjects(schema)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined
}

function membersOf(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : []
}
