/**
 * Owns the applications and services that Sallyport knows: their metadata and secrets, whether they may authenticate, and
 * the resources that access tokens are meant for. The verifiers among them may follow the revocation feed and introspect
 * tokens; they are listed in VERIFIER_KEYS, or stored. Users belong to accounts, and the sessions that a client has with
 * them to families.
 */
import type { AccessTokenClaims } from '../../wire/claims.js'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { noCaller, type Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { operator, system, type Actor, type Audit } from '../audit/audit.js'
import type { Revocations } from '../revocation/revocation.js'
import type { clientEvents } from './audit-events.js'
import { createAuthentication } from './authentication.js'
import { createClientCache } from './caching.js'
import { METADATA_DOCUMENT, REGISTRATION, type Client } from './client.js'
import { createSecret, hashSecret, MAX_SECRETS, type StoredSecret } from './credentials.js'
import { createDocuments, type ClientDocuments, type DocumentsOptions } from './documents.js'
import { fault } from './faults.js'
import type { ClientMetadata } from './metadata.js'
import type { NewClient } from './new-client.js'
import { createResources, type Resources } from './resources.js'
import * as store from './store.js'

export type { Client, Resource } from './client.js'
export { createSecret } from './credentials.js'
export { documentHostOf } from './document.js'
export { grantTypes, type ClientMetadata, type GrantType } from './metadata.js'
export { newClientSchema, type NewClient } from './new-client.js'
export { createRegistration, type Registration } from './registration.js'
export type { RegistrationToken } from './registration-tokens.js'
export { resourceSchema, type Resources } from './resources.js'
export {
  createVerifierAccess,
  createVerifierCredential,
  createVerifierDetection,
  type VerifierKey,
} from './verifiers.js'

const DAY_SECONDS = 24 * 60 * 60

/** How long a client that no user signs in to is kept, by who created it. A document can be read again. */
const unusedKinds = [
  { createdBy: REGISTRATION, unusedSeconds: 30 * DAY_SECONDS },
  { createdBy: METADATA_DOCUMENT, unusedSeconds: DAY_SECONDS },
]

const PURGE_BATCH = 100

export interface ClientsOptions {
  database: Database
  clock: Clock
  revocations: Revocations
  audit: Audit<typeof clientEvents>
  /** How clients are found by their metadata documents; null, the default, where that is off. */
  documents?: Pick<DocumentsOptions, 'get' | 'limits' | 'log' | 'scopes'> | null
}

export interface CreateOptions {
  /** The operator by default. */
  by?: Actor
  /** A secret of `createSecret`, where it has to be known beforehand. */
  secret?: string
  /** Who registers it, for its row; the actor by default. */
  createdBy?: string
  caller?: Caller
}

/** All except `find`, `authenticate`, `create` and `list` throw `not_found` for an unknown client. */
export interface Clients {
  readonly resources: Resources
  /** The clients whose ids are addresses of metadata documents; null where that is off. */
  readonly documents: ClientDocuments | null
  /** The client, disabled or not; null if there is none. From memory, as a rule: a change is felt within a second. */
  find(clientId: string): Promise<Client | null>
  /** The client with this secret; null if it is unknown or disabled, or has another secret. From memory as well. */
  authenticate(clientId: string, secret: string): Promise<Client | null>
  /** The same for a secret by itself, which belongs to one client. */
  authenticateBySecret(secret: string): Promise<Client | null>
  /** Whether an access token's client is there and enabled by the database, and has not outdated the token. */
  isLive(claims: AccessTokenClaims): Promise<boolean>
  /**
   * Registers a client that `newClientSchema` has read, with a secret where it authenticates with one; that is not stored,
   * and never seen again. Throws `validation_failed` for an id that is taken, or an unknown default resource.
   */
  create(client: NewClient, options?: CreateOptions): Promise<{ client: Client; secret: string | null }>
  /** The oldest first. */
  list(): Promise<Client[]>
  /**
   * Adds a secret; the present one stays valid until it is withdrawn. Throws `validation_failed` for a client that has two
   * already, or authenticates without a secret.
   */
  rotateSecret(clientId: string): Promise<string>
  /**
   * Withdraws all secrets but the newest. Access tokens that the client was issued before are refused everywhere within a
   * second. False if there is only one.
   */
  withdrawOldSecrets(clientId: string): Promise<boolean>
  /** Refuses the client, and its access tokens everywhere within a second. False if it is disabled already. */
  disable(clientId: string): Promise<boolean>
  /** Accepts the client again; it needs new access tokens. False if it is not disabled. */
  enable(clientId: string): Promise<boolean>
  /** Removes the client. Its access tokens are refused everywhere within a second. */
  remove(clientId: string): Promise<void>
  /** Notes in the caller's transaction that a user signs in to a client; false if there is none any more. */
  markUsed(tx: Queries, clientId: string): Promise<boolean>
  /** Removes the clients that came by themselves, without a token, and were not used, in batches. */
  purge(): Promise<void>
}

export function createClients(options: ClientsOptions): Clients {
  const { database, clock, revocations, audit, documents = null } = options
  const cache = createClientCache({
    clock,
    revocations,
    read: (clientId) => database.query((client) => store.findClient(client, clientId), { safeToRetry: true }),
  })
  const authentication = createAuthentication({ database, cache })
  const resources = createResources({ database, clock, audit })

  /** Changes a client in a transaction that also tells of the change. */
  async function change<T>(clientId: string, work: (held: Held) => Promise<T>): Promise<T> {
    const result = await revocations.transaction(async (tx, revoke) => {
      const client = await store.lockClient(tx, clientId)
      if (client === null) {
        throw new Problem('not_found', { detail: 'No client has this id. List them with client:list.' })
      }
      const record = (event: keyof typeof clientEvents, detail: Record<string, string> = {}) =>
        audit.record(tx, { event, ...byOperator, detail: { client_id: clientId, ...detail } })
      const outdateTokens = async () => {
        const epoch = await store.raiseEpoch(tx, client.id, clock.shiftMs)
        await revoke({ kind: 'client', clientId, epoch })
      }
      return work({ tx, client, record, outdateTokens })
    })
    cache.forget(clientId)
    return result
  }

  return {
    resources,
    documents: documents && createDocuments({ database, clock, audit, cache, ...documents }),
    find: (clientId) => cache.find(clientId),
    ...authentication,

    async isLive({ client_id: clientId, client_epoch: epoch = 0 }) {
      const client = await cache.read(clientId)
      return client !== null && client.disabledAt === null && epoch >= client.epoch
    },

    async create(
      { clientId: chosenId, name, firstParty, metadata },
      { by = operator, secret: given = createSecret(), createdBy = by.id ?? by.kind, caller = noCaller } = {},
    ) {
      await requireDefaultResource(metadata)
      const id = uuidv7()
      const clientId = chosenId ?? id
      const secret = usesSecret(metadata) ? given : null
      const client = { id, clientId, name, metadata, firstParty, createdBy }
      const secrets = secret === null ? [] : [toStored(secret)]
      const stored = await database.transaction(async (tx) => {
        if (!(await store.insertClient(tx, { ...client, secrets }, clock.shiftMs))) {
          throw fault('client_id', 'A client with this id exists: choose another')
        }
        const detail = { client_id: clientId, name, created_by: createdBy }
        await audit.record(tx, { event: 'client_created', actor: by, caller, detail })
        return store.findClient(tx, clientId)
      })
      if (stored === null) throw new Error('The client that was just stored is missing.')
      return { client: stored, secret }
    },

    list: () => database.query(store.findClients, { safeToRetry: true }),

    rotateSecret: (clientId) =>
      change(clientId, async ({ tx, client, record }) => {
        if (!usesSecret(client.metadata)) {
          const method = client.metadata.token_endpoint_auth_method
          throw fault('client_id', `This client has no secret: its token_endpoint_auth_method is ${method}`)
        }
        if (client.secrets.length >= MAX_SECRETS) {
          throw fault(
            'client_id',
            'This client has two secrets already: withdraw the old one first with --withdraw-old',
          )
        }
        const secret = createSecret()
        const added = toStored(secret)
        await store.replaceSecrets(tx, client.id, [...client.secrets, added])
        await record('client_secret_rotated', { added: added.id })
        return secret
      }),

    withdrawOldSecrets: (clientId) =>
      change(clientId, async ({ tx, client, record, outdateTokens }) => {
        const withdrawn = client.secrets.slice(0, -1)
        if (withdrawn.length === 0) return false
        await store.replaceSecrets(tx, client.id, client.secrets.slice(-1))
        await outdateTokens()
        await record('client_secret_rotated', { withdrawn: withdrawn.map(({ id }) => id).join(' ') })
        return true
      }),

    disable: (clientId) =>
      change(clientId, async ({ tx, client, record, outdateTokens }) => {
        if (client.disabledAt !== null) return false
        await store.setDisabled(tx, client.id, true, clock.shiftMs)
        await outdateTokens()
        await record('client_disabled')
        return true
      }),

    enable: (clientId) =>
      change(clientId, async ({ tx, client, record, outdateTokens }) => {
        if (client.disabledAt === null) return false
        await store.setDisabled(tx, client.id, false, clock.shiftMs)
        // There are no tokens that hold: the entry tells the other instances of the change.
        await outdateTokens()
        await record('client_enabled')
        return true
      }),

    remove: (clientId) =>
      change(clientId, async ({ tx, client, record, outdateTokens }) => {
        await outdateTokens()
        await store.deleteClient(tx, client.id)
        await record('client_removed', { name: client.name })
      }),

    async markUsed(tx, clientId) {
      const isThere = await store.markUsed(tx, clientId, clock.shiftMs)
      cache.forget(clientId)
      return isThere
    },

    async purge() {
      for (const kind of unusedKinds) while ((await removeUnused(kind)) === PURGE_BATCH);
    },
  }

  async function removeUnused(kind: (typeof unusedKinds)[number]): Promise<number> {
    const removed = await revocations.transaction(async (tx, revoke) => {
      const unused = await store.deleteUnusedClients(tx, { ...kind, batchSize: PURGE_BATCH }, clock.shiftMs)
      for (const { clientId, name, epoch } of unused) {
        await revoke({ kind: 'client', clientId, epoch })
        const detail = { client_id: clientId, name }
        await audit.record(tx, { event: 'client_removed', actor: system, caller: noCaller, detail })
      }
      return unused
    })
    for (const { clientId } of removed) cache.forget(clientId)
    return removed.length
  }

  async function requireDefaultResource({ default_resource: identifier }: ClientMetadata): Promise<void> {
    if (identifier === undefined || (await resources.find(identifier)) !== null) return
    throw fault('default_resource', 'No resource has this identifier: create it first with resource:create')
  }

  function toStored(secret: string): StoredSecret {
    return { id: uuidv7(), sha256: hashSecret(secret), createdAt: clock.now() }
  }
}

interface Held {
  tx: Queries
  client: Client
  record: (event: keyof typeof clientEvents, detail?: Record<string, string>) => Promise<void>
  /** Makes the access tokens that the client was issued so far stale, everywhere within a second. */
  outdateTokens: () => Promise<void>
}

const byOperator = { actor: operator, caller: noCaller }

function usesSecret({ token_endpoint_auth_method: method }: ClientMetadata): boolean {
  return method === 'client_secret_basic' || method === 'client_secret_post'
}
