import type { FastifyBaseLogger } from 'fastify'
import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { errorCodeOf } from '../../platform/http/posting.js'
import type { PublicGet } from '../../platform/http/public-get.js'
import { uuidv7 } from '../../platform/uuid.js'
import { stranger, type Audit } from '../audit/audit.js'
import type { Limits, Policy, Requester } from '../limits/limits.js'
import type { clientEvents } from './audit-events.js'
import type { ClientCache } from './caching.js'
import { METADATA_DOCUMENT, type Client } from './client.js'
import { freshSecondsOf, isDocumentId, readDocument } from './document.js'
import type { NewClient } from './new-client.js'
import * as store from './store.js'

const FETCH = { accept: 'application/json', withinMs: 5_000, maxBytes: 5 * 1024 }

/** How long a document that was not usable is not asked for again. */
const FAULT_MS = 30_000

const MAX_FAULTS = 2_000

/** Each is a request of this server, and may be a row. */
const documentsOfNetwork: Policy = {
  name: 'address-documents',
  quota: 30,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

/** Why there is no client by a document. */
export interface DocumentRefusal {
  refusal: string
}

export interface DocumentsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof clientEvents>
  limits: Limits
  cache: ClientCache
  /** How documents are fetched. */
  get: PublicGet
  /** OAUTH_REGISTRATION_SCOPES: what such clients may ask users for. */
  scopes: readonly string[]
}

/**
 * Clients that are not registered: their id is the address of a document that says what they are
 * (draft-ietf-oauth-client-id-metadata-document). What it says is kept as a client like any other, and read again when it
 * is no longer current.
 */
export interface ClientDocuments {
  /**
   * The client with this id, by its current document. Null for an id that is no such address. Throws `rate_limited`.
   */
  findCurrent(clientId: string, requester: Requester): Promise<Client | DocumentRefusal | null>
  /**
   * The client with this id as it was last read: a document that cannot be had at the moment ends no session. It is read
   * again where it has the keys with which the client authenticates.
   */
  findKnown(clientId: string, requester: Requester): Promise<Client | null>
}

export function createDocuments(options: DocumentsOptions): ClientDocuments {
  const { database, clock, log, audit, limits, cache, get, scopes } = options
  const faults = new QuickLRU<string, { refusal: string; untilMs: number }>({ maxSize: MAX_FAULTS })
  const underWay = new Map<string, Promise<Client | DocumentRefusal>>()

  /** Whether what is known of a client can be used as it is. A disabled one is refused, whatever its document says. */
  function isUsable(client: Client): boolean {
    return client.disabledAt !== null || (client.documentExpiresAt?.getTime() ?? 0) > clock.now().getTime()
  }

  async function readAgain(clientId: string, requester: Requester): Promise<Client | DocumentRefusal> {
    const fault = faults.get(clientId)
    if (fault !== undefined && clock.elapsedMs() < fault.untilMs) return { refusal: fault.refusal }
    const budgets = limits.ofNetwork(documentsOfNetwork, requester.caller)
    limits.requireNotRefused(budgets)
    const refusal = { event: 'client_document_limited' as const, actor: stranger }
    const found = await limits.guard(budgets, { ...requester, refusal }, () => together(clientId, requester))
    if (found === null) throw new Error('A document is read or refused.')
    return found
  }

  /** Requests at the same time share one fetch. */
  function together(clientId: string, requester: Requester): Promise<Client | DocumentRefusal> {
    const begun = underWay.get(clientId)
    if (begun !== undefined) return begun
    const fetched = fetchDocument(clientId, requester).finally(() => underWay.delete(clientId))
    underWay.set(clientId, fetched)
    return fetched
  }

  async function fetchDocument(clientId: string, requester: Requester): Promise<Client | DocumentRefusal> {
    // Another request, or another instance, may have read it since this one looked.
    const known = await lookUp(clientId)
    if (known !== null && isUsable(known)) return known
    const fetched = await askFor(clientId)
    if ('refusal' in fetched) {
      faults.set(clientId, { ...fetched, untilMs: clock.elapsedMs() + FAULT_MS })
      return fetched
    }
    return keep(fetched, requester)
  }

  async function askFor(clientId: string): Promise<Document | DocumentRefusal> {
    try {
      const { status, headers, body } = await get(new URL(clientId), FETCH)
      if (status !== 200) return { refusal: `the metadata document was answered with status ${status}` }
      if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '')) {
        return { refusal: 'the metadata document must have the content type application/json' }
      }
      const read = readDocument(clientId, body.toString('utf8'), scopes)
      if ('fault' in read) return { refusal: `the metadata document is not valid: ${read.fault.description}` }
      return { clientId, read, freshSeconds: freshSecondsOf(headers, clock.now()) }
    } catch (error) {
      // Nothing more is told: a stranger could learn what there is on networks that only this server reaches.
      log.info({ clientId, reason: errorCodeOf(error) }, 'the metadata document of a client could not be fetched')
      return { refusal: 'the metadata document could not be fetched' }
    }
  }

  /** Stores what a document says, in the place of what it said before. */
  async function keep({ clientId, read, freshSeconds }: Document, { caller }: Requester): Promise<Client> {
    const { name, metadata } = read
    const kept = await database.transaction(async (tx) => {
      const by = { actor: stranger, caller }
      const before = await store.lockClient(tx, clientId)
      const id = before?.id ?? uuidv7()
      if (before === null) {
        const client = { id, clientId, name, metadata, secrets: [], firstParty: false, createdBy: METADATA_DOCUMENT }
        // Another instance may have read it at the same time.
        if (!(await store.insertClient(tx, client, clock.shiftMs))) return store.findClient(tx, clientId)
        const detail = { client_id: clientId, name, created_by: METADATA_DOCUMENT }
        await audit.record(tx, { event: 'client_created', ...by, detail })
      }
      await store.saveDocument(tx, { id, name, metadata, freshSeconds }, clock.shiftMs)
      const after = await store.findClient(tx, clientId)
      const changed = before === null || after === null ? [] : changesOf(before, after)
      if (changed.length > 0) {
        const detail = { client_id: clientId, changed: changed.join(' ') }
        await audit.record(tx, { event: 'client_document_changed', ...by, detail })
      }
      return after
    })
    cache.forget(clientId)
    if (kept === null) throw new Error('The client that was just stored is missing.')
    return kept
  }

  /** What is known of a client, by the database if memory is too old. */
  async function lookUp(clientId: string): Promise<Client | null> {
    const known = await cache.find(clientId)
    return known === null || isUsable(known) ? known : cache.read(clientId)
  }

  return {
    async findCurrent(clientId, requester) {
      if (!isDocumentId(clientId)) return null
      const known = await lookUp(clientId)
      return known !== null && isUsable(known) ? known : readAgain(clientId, requester)
    },

    async findKnown(clientId, requester) {
      if (!isDocumentId(clientId)) return null
      const known = await lookUp(clientId)
      if (known === null || isUsable(known) || known.metadata.jwks === undefined) return known
      const read = await readAgain(clientId, requester).catch((error: unknown) => {
        log.warn({ err: error, clientId }, 'the metadata document of a client could not be read again')
        return null
      })
      return read === null || 'refusal' in read ? known : read
    },
  }
}

interface Document {
  clientId: string
  read: NewClient
  freshSeconds: number
}

/** The members that a document says differently from before. */
function changesOf(before: Client, after: Client): string[] {
  const members = (client: Client) => ({ client_name: client.name, ...client.metadata })
  const [old, current]: Record<string, unknown>[] = [members(before), members(after)]
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(current ?? {})])
  return [...names].filter((name) => JSON.stringify(old?.[name]) !== JSON.stringify(current?.[name]))
}
