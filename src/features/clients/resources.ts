import { z } from 'zod'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { text } from '../../platform/http/text.js'
import { Problem } from '../../platform/problem.js'
import { MAX_ACCESS_TOKEN_SECONDS } from '../../wire/claims.js'
import { operator, type Audit } from '../audit/audit.js'
import type { clientEvents } from './audit-events.js'
import { resourceAlgorithms, type Resource } from './client.js'
import { fault } from './faults.js'
import * as store from './store.js'
import { resourceIdentifierSchema } from './uris.js'

/** How long resources are kept in memory: a change is felt everywhere within a second. */
const MAX_AGE_MS = 500

/** Scopes of OpenID Connect, which are about the user and belong to no resource. */
const OPENID_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access']

const scopeSchema = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/, 'Must be scopes such as orders:read, without spaces and quotes')
  .refine((scope) => !OPENID_SCOPES.includes(scope), {
    message: `Must be scopes of the service itself: ${OPENID_SCOPES.join(', ')} belong to OpenID Connect`,
  })

/** A new resource. */
export const resourceSchema = z
  .object({
    identifier: resourceIdentifierSchema,
    name: text({ min: 1, max: 100 }).nullable().default(null),
    scopes: z
      .array(scopeSchema)
      .max(200, 'Must be at most 200 scopes')
      .default([])
      .transform((scopes) => [...new Set(scopes)]),
    access_ttl: z
      .int('Must be a whole number of seconds')
      .min(60, 'Must be at least 60 seconds')
      .max(MAX_ACCESS_TOKEN_SECONDS, `Must be at most ${MAX_ACCESS_TOKEN_SECONDS} seconds`)
      .nullable()
      .default(null),
    alg: z
      .enum(resourceAlgorithms, `Must be one of ${resourceAlgorithms.join(', ')}`)
      .nullable()
      .default(null),
  })
  .transform(({ access_ttl: accessTtlSeconds, ...resource }): Resource => ({ ...resource, accessTtlSeconds }))
export interface ResourcesOptions {
  database: Database
  clock: Clock
  audit: Audit<typeof clientEvents>
}

export interface Resources {
  /** Adds a resource that `resourceSchema` has read. Throws `validation_failed` for an identifier that is taken. */
  create(resource: Resource): Promise<void>
  /** The oldest first. */
  list(): Promise<Resource[]>
  /** Throws `not_found`, and `validation_failed` for one that is the default of a client. */
  remove(identifier: string): Promise<void>
  /** The resource; null if there is none. Costs at most two queries a second. */
  find(identifier: string): Promise<Resource | null>
}

const byOperator = { actor: operator, caller: noCaller }

export function createResources({ database, clock, audit }: ResourcesOptions): Resources {
  let held = { resources: new Map<string, Resource>(), readAtMs: -Infinity }

  async function read(): Promise<Resource[]> {
    const readAtMs = clock.elapsedMs()
    const resources = await database.query(store.findResources, { safeToRetry: true })
    held = { resources: new Map(resources.map((resource) => [resource.identifier, resource])), readAtMs }
    return resources
  }

  return {
    async create(resource) {
      await database.transaction(async (tx) => {
        const { identifier, scopes } = resource
        if (!(await store.insertResource(tx, resource, clock.shiftMs))) {
          throw fault('identifier', 'A resource with this identifier exists: remove it first, or choose another')
        }
        const detail = { identifier, scopes: scopes.join(' ') }
        await audit.record(tx, { event: 'resource_created', ...byOperator, detail })
      })
      held.readAtMs = -Infinity
    },

    list: read,

    async remove(identifier) {
      await database.transaction(async (tx) => {
        const clients = await store.findClientsWithDefault(tx, identifier)
        if (clients.length > 0) {
          throw fault(
            'identifier',
            `Is the default resource of these clients: ${clients.join(', ')}. Remove them first`,
          )
        }
        if (!(await store.deleteResource(tx, identifier))) {
          throw new Problem('not_found', { detail: 'No resource has this identifier. List them with resource:list.' })
        }
        await audit.record(tx, { event: 'resource_removed', ...byOperator, detail: { identifier } })
      })
      held.readAtMs = -Infinity
    },

    async find(identifier) {
      if (clock.elapsedMs() - held.readAtMs >= MAX_AGE_MS) await read()
      return held.resources.get(identifier) ?? null
    },
  }
}
