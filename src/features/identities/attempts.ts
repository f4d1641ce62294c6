import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Mode } from '../../wire/mode.js'
import type { Clock } from '../../platform/clock.js'
import { open, seal } from '../../platform/crypto/sealing.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database, Queries } from '../../platform/database/database.js'
import * as store from './attempt-store.js'
import { externalIdentitySchema, type ExternalIdentity } from './external-identity.js'
import type { RedirectChecks } from './providers/provider.js'

/** How the session is to be that a sign-in at a provider opens. */
export interface AttemptWish {
  mode: Mode
  remember: boolean
  deviceName: string | null
}

/** The user who links an identity, and the session in which they asked for it. */
export interface AskedLink {
  userId: string
  sessionId: string
}

/** The permission to link an identity, with which a browser is sent to the provider. */
export interface LinkTicket extends AskedLink {
  provider: string
  returnTo: string
  /** Of the browser, by its cookie. */
  browserHash: Buffer
}

/** The secrets of a redirect, of which the browser sees the state alone. */
export type RedirectSecrets = Pick<RedirectChecks, 'state' | 'nonce' | 'codeVerifier'>

/** A sign-in at a provider, or a link, whose browser is there. */
export interface Redirect {
  provider: string
  /** Where the browser goes at the end. */
  returnTo: string
  wish: AttemptWish
  /** Of the application that exchanges the code of mode `json`; null in other modes. */
  codeChallenge: string | null
  link: AskedLink | null
  /** Cookies that the browser sent at the start, and that it does not send when it comes back from another site. */
  carried: Readonly<Record<string, string[]>>
}

/** What an application of mode `json` gets for its code. */
export interface Exchange {
  identity: ExternalIdentity
  wish: AttemptWish
  codeChallenge: string
}

export interface AttemptsOptions {
  database: Database
  secrets: SecretKeys
  clock: Clock
}

/** Sign-ins at other providers while they go on. Each of their secrets counts once, also when it is shown in parallel. */
export interface Attempts {
  /** Makes a ticket, in the caller's transaction or outside one. */
  createTicket(client: Queries, ticket: LinkTicket): Promise<string>
  /** Uses a ticket; null unless it is for this provider and this browser. */
  takeTicket(ticket: string, at: BrowserAt): Promise<LinkTicket | null>
  /** Keeps a redirect until the browser comes back with its state. */
  begin(secrets: RedirectSecrets, redirect: Redirect, browserHash: Buffer): Promise<void>
  /** Uses a state; null unless it was made for this provider and this browser. */
  takeState(state: string, at: BrowserAt): Promise<(Redirect & { secrets: RedirectSecrets }) | null>
  /** Makes the code that an application of mode `json` exchanges. */
  createCode(exchange: Exchange): Promise<string>
  /** Uses such a code, whether or not its caller has the verifier. */
  takeCode(code: string): Promise<Exchange | null>
  /** Notes that an ID token or a notice was used, in the caller's transaction if there is one; false if it was before. */
  spendToken(provider: string, token: string, expiresAt: Date, tx?: Queries): Promise<boolean>
  /** Deletes attempts that have expired. */
  purge(): Promise<void>
}

/** Where a secret is shown: at a provider's address, by a browser with these cookies. */
export interface BrowserAt {
  provider: string
  browserHashes: readonly Buffer[]
}

const TICKET_SECONDS = 5 * 60
const STATE_SECONDS = 10 * 60
const CODE_SECONDS = 60
/** Providers' clocks may differ from ours: a token is remembered until no clock can take it for valid. */
const TOKEN_MARGIN_SECONDS = 10 * 60

const PURPOSE = 'identity-attempt'
const PURGE_BATCH = 1000

const redirectSchema = z.object({
  nonce: z.string(),
  codeVerifier: z.string(),
  carried: z.record(z.string(), z.array(z.string())),
})

/** Makes the secrets of a redirect, each of 256 random bits. */
export function createRedirectSecrets(): RedirectSecrets {
  return { state: createSecret(), nonce: createSecret(), codeVerifier: createSecret() }
}

/** Keeps sign-ins at other providers while they go on. */
export function createAttempts({ database, secrets, clock }: AttemptsOptions): Attempts {
  const nothing = {
    ...{ sealed: null, secretId: null, returnTo: null, mode: null, remember: true, deviceName: null },
    ...{ codeChallenge: null, linkUserId: null, linkSessionId: null, browserHash: null },
  }

  function sealed(secretHash: Buffer, content: object) {
    const { sealed: bytes, secretId } = seal(
      secrets,
      PURPOSE,
      Buffer.from(JSON.stringify(content)),
      contextOf(secretHash),
    )
    return { sealed: new Uint8Array(bytes), secretId }
  }

  /** Null where the server secret that it was encrypted under is not listed any more. */
  function opened<T>(schema: z.ZodType<T>, { secretHash, sealed: bytes, secretId }: store.StoredAttempt): T | null {
    if (bytes === null || secretId === null) return null
    const content = open(secrets, PURPOSE, secretId, bytes, contextOf(secretHash))
    return content && schema.parse(JSON.parse(content.toString()))
  }

  const insert = (client: Queries, attempt: store.NewAttempt) => store.insertAttempt(client, attempt, clock.shiftMs)

  async function take(text: string, key: Omit<store.AttemptKey, 'secretHash'>): Promise<store.StoredAttempt | null> {
    if (!isSecret(text) || key.browserHashes?.length === 0) return null
    const secretHash = hashOf(text)
    return database.query((client) => store.takeAttempt(client, { ...key, secretHash }, clock.shiftMs))
  }

  return {
    async createTicket(client, { provider, returnTo, userId, sessionId, browserHash }) {
      const ticket = createSecret()
      await insert(client, {
        ...{ ...nothing, secretHash: hashOf(ticket), stage: 'ticket', lifetimeSeconds: TICKET_SECONDS },
        ...{ provider, returnTo, linkUserId: userId, linkSessionId: sessionId, browserHash: bytesOf(browserHash) },
      })
      return ticket
    },

    async takeTicket(ticket, at) {
      const taken = await take(ticket, { stage: 'ticket', ...at })
      const link = taken && linkOf(taken)
      if (!taken || !link) return null
      const { provider, returnTo, browserHash } = taken
      return { provider, returnTo: returnTo ?? '', browserHash: Buffer.from(browserHash ?? []), ...link }
    },

    async begin({ state, nonce, codeVerifier }, redirect, browserHash) {
      const { provider, returnTo, wish, codeChallenge, link, carried } = redirect
      const secretHash = hashOf(state)
      const attempt = {
        ...{ ...nothing, secretHash, stage: 'state' as const, lifetimeSeconds: STATE_SECONDS },
        ...sealed(secretHash, { nonce, codeVerifier, carried }),
        ...{ provider, returnTo, ...wish, codeChallenge, browserHash: bytesOf(browserHash) },
        ...(link && { linkUserId: link.userId, linkSessionId: link.sessionId }),
      }
      await database.query((client) => insert(client, attempt))
    },

    async takeState(state, at) {
      const taken = await take(state, { stage: 'state', ...at })
      const content = taken && opened(redirectSchema, taken)
      if (!taken || !content || taken.returnTo === null) return null
      const { carried, ...secret } = content
      const { provider, returnTo, codeChallenge } = taken
      const redirect = { provider, returnTo, codeChallenge, carried, wish: wishOf(taken), link: linkOf(taken) }
      return { ...redirect, secrets: { state, ...secret } }
    },

    async createCode({ identity, wish, codeChallenge }) {
      const code = createSecret()
      const secretHash = hashOf(code)
      const attempt = {
        ...{ ...nothing, secretHash, stage: 'code' as const, lifetimeSeconds: CODE_SECONDS },
        ...sealed(secretHash, identity),
        ...{ provider: identity.provider, ...wish, codeChallenge },
      }
      await database.query((client) => insert(client, attempt))
      return code
    },

    async takeCode(code) {
      const taken = await take(code, { stage: 'code' })
      const identity = taken && opened(externalIdentitySchema, taken)
      if (!taken || !identity || taken.codeChallenge === null) return null
      return { identity, wish: wishOf(taken), codeChallenge: taken.codeChallenge }
    },

    async spendToken(provider, token, expiresAt, tx) {
      const lifetimeSeconds = (expiresAt.getTime() - clock.now().getTime()) / 1000 + TOKEN_MARGIN_SECONDS
      const secretHash = hashOf(signedPartOf(token))
      const spent = { ...nothing, secretHash, stage: 'token' as const, provider, lifetimeSeconds }
      return tx ? insert(tx, spent) : database.query((client) => insert(client, spent))
    },

    async purge() {
      const deleteBatch = () =>
        database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}

function createSecret(): string {
  return randomBytes(32).toString('base64url')
}

function isSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

function hashOf(secret: string): Uint8Array<ArrayBuffer> & Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Without the signature, of which there may be several that are right for one token. */
function signedPartOf(token: string): string {
  return token.slice(0, token.lastIndexOf('.'))
}

function contextOf(secretHash: Uint8Array): string {
  return Buffer.from(secretHash).toString('base64url')
}

function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer)
}

function wishOf({ mode, remember, deviceName }: store.StoredAttempt): AttemptWish {
  return { mode: mode === null || mode === 'client' ? 'session' : mode, remember, deviceName }
}

function linkOf({ linkUserId: userId, linkSessionId: sessionId }: store.StoredAttempt): AskedLink | null {
  return userId === null || sessionId === null ? null : { userId, sessionId }
}
