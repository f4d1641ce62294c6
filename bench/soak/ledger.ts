// Records what was acknowledged, and checks responses against it. Each account is used by one client that waits for its
// responses, so that only requests without a response are uncertain.

/** The result of a request: a response, or none that shows whether it was carried out. */
export type Heard =
  | { kind: 'answer'; status: number; body: Body; at: number }
  /** A broken connection, or a 503. */
  | { kind: 'unknown' }

/** The parts of a response that the ledger reads; each response has some of them. */
export interface Body {
  code?: string | undefined
  reason?: string | undefined
  access_token?: string | undefined
  refresh_token?: string | undefined
  session?: { id: string } | undefined
  sessions?: { id: string }[] | undefined
  sid?: string | undefined
  flow_token?: string | undefined
}

/** A flow that was begun, and whose mail was promised. */
export interface MailFlow {
  kind: 'register' | 'otp' | 'reset_password'
  /** The holder's token. */
  token: string
  /** Whether its code was used, or can no longer be. */
  isOver: boolean
}

export interface Session {
  id: string
  accessToken: string
  refreshToken: string
  /** The number of acknowledged rotations. */
  generation: number
  /** When the access token was issued. */
  issuedAt: number
  /** Whether the access token has claims that have changed since. */
  stale: boolean
  /** When its end was acknowledged; null while it is live. */
  endedAt: number | null
  /** A refresh without a response; it is repeated with its key. */
  attempt: string | null
}

export interface Account {
  email: string
  registered: boolean
  /** Whether a registration has no response yet. */
  registering: boolean
  password: string
  /** The new password of a change without a response. */
  nextPassword: string | null
  sessions: Session[]
  flows: MailFlow[]
}

/** Faults, in whole sentences; usually none. */
export type Faults = string[]

/** A revocation takes effect everywhere within a second; more on a busy machine. */
const FELT_WITHIN_MS = 2500
const ACCESS_TOKEN_TTL_MS = 600_000
const TTL_MARGIN_MS = 15_000

export function openAccount(email: string, password: string): Account {
  return { email, registered: false, registering: false, password, nextPassword: null, sessions: [], flows: [] }
}

export function liveSessions({ sessions }: Account): Session[] {
  return sessions.filter(({ endedAt }) => endedAt === null)
}

export function noteRegistration(account: Account, heard: Heard): Faults {
  if (heard.kind === 'unknown') {
    account.registering = true
    return []
  }
  const wasCarriedOut = heard.status === 409 && heard.body.code === 'email_taken' && account.registering
  if (heard.status !== 201 && !wasCarriedOut) return [unexpected('A registration', heard)]
  account.registered = true
  return heard.status === 201 ? open(account, heard.body, heard.at) : []
}

/** The flow of this kind that waits for its code; null if there is none. */
export function waitingFlow(account: Account, kind: MailFlow['kind']): MailFlow | null {
  return account.flows.find((flow) => flow.kind === kind && !flow.isOver) ?? null
}

/** The response to a request that sends a mail, which is retried until there is one. */
export function noteBegun(account: Account, kind: MailFlow['kind'], heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  const { flow_token: token } = heard.body
  if (heard.status !== 202 || token === undefined) return [unexpected(`A request for a mail (${kind})`, heard)]
  account.flows.push({ kind, token, isOver: false })
  return []
}

/** The response to a code that signs in, which is retried until there is one. */
export function noteCodeUsed(account: Account, flow: MailFlow, heard: Heard, isRepeated: boolean): Faults {
  if (heard.kind === 'unknown') return []
  flow.isOver = true
  // The first attempt was carried out, and its response was lost.
  const wasCarriedOut = isRepeated && isUsed(heard)
  // A change of the password ends the codes that were sent before.
  if (flow.kind === 'otp' && isEndedByChange(heard)) return []
  if (heard.status !== 200 && !wasCarriedOut) return [unexpected(`The code of a mail (${flow.kind})`, heard)]
  account.registered = true
  return heard.status === 200 ? open(account, heard.body, heard.at) : []
}

/** The response to a reset of the password, which is retried until there is one. */
export function noteReset(
  account: Account,
  flow: MailFlow,
  { newPassword, heard, isRepeated }: { newPassword: string; heard: Heard; isRepeated: boolean },
): Faults {
  if (heard.kind === 'unknown') return []
  flow.isOver = true
  if (isEndedByChange(heard)) return []
  if (heard.status !== 204 && !(isRepeated && isUsed(heard))) return [unexpected('A reset of the password', heard)]
  account.password = newPassword
  for (const session of liveSessions(account)) session.endedAt = heard.at
  return []
}

function isUsed({ status, body }: { status: number; body: Body }): boolean {
  return status === 401 && body.code === 'flow_invalid' && body.reason === 'used'
}

function isEndedByChange({ status, body }: { status: number; body: Body }): boolean {
  return status === 401 && body.code === 'flow_invalid' && body.reason === 'superseded'
}

export function noteLogin(account: Account, heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  if (heard.status !== 200) return [unexpected('A login with the acknowledged password', heard)]
  return open(account, heard.body, heard.at)
}

function open(account: Account, { session, access_token, refresh_token }: Body, at: number): Faults {
  if (!session || access_token === undefined || refresh_token === undefined) return ['A sign-in returned no tokens.']
  account.sessions.push({
    ...{ id: session.id, accessToken: access_token, refreshToken: refresh_token, generation: 0 },
    ...{ issuedAt: at, stale: false, endedAt: null, attempt: null },
  })
  return []
}

export function noteRefresh(session: Session, heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  const { status, body } = heard
  if (session.endedAt !== null) {
    const isRefused = status === 401 && body.code === 'session_ended'
    return isRefused ? [] : [unexpected('A refresh of an ended session', heard)]
  }
  const { access_token, refresh_token } = body
  if (status !== 200 || access_token === undefined || refresh_token === undefined) {
    return [unexpected('A refresh of a live session', heard)]
  }
  if (body.session?.id !== session.id) return [`A refresh of session ${session.id} returned another session.`]
  const expected = session.generation + 1
  const generation = generationOf(refresh_token)
  Object.assign(session, { accessToken: access_token, refreshToken: refresh_token, generation: expected })
  Object.assign(session, { issuedAt: heard.at, stale: false, attempt: null })
  return generation === expected ? [] : [`A refresh returned generation ${generation} instead of ${expected}.`]
}

export function noteWhoami(session: Session, heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  const { status, body, at } = heard
  const { endedAt, issuedAt, stale } = session
  if (endedAt !== null) {
    const isTooSoon = at - endedAt < FELT_WITHIN_MS
    return status === 200 && !isTooSoon
      ? [`An access token was accepted ${at - endedAt} ms after its session had ended.`]
      : []
  }
  if (status === 200) return body.sid === session.id ? [] : ['whoami returned another session.']
  const mayHaveExpired = at - issuedAt > ACCESS_TOKEN_TTL_MS - TTL_MARGIN_MS
  if (status === 401 && body.code === 'token_expired' && mayHaveExpired) return []
  if (status === 401 && body.code === 'token_stale' && stale) return []
  return [unexpected('The access token of a live session', heard)]
}

/** The response to a logout, which is retried until there is one. */
export function noteLogout(session: Session, heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  if (heard.status !== 204) return [unexpected('A logout', heard)]
  session.endedAt ??= heard.at
  return []
}

/** The response to a change to `nextPassword`, which is retried until there is one. */
export function notePasswordChange(account: Account, session: Session, heard: Heard, isRepeated: boolean): Faults {
  if (heard.kind === 'unknown') return []
  const { status, body, at } = heard
  // The new password is correct: the change was carried out, and its response was lost.
  const wasCarriedOut = isRepeated && status === 401 && body.code === 'invalid_credentials'
  if (status !== 204 && !wasCarriedOut) return [unexpected('A change of the password', heard)]
  account.password = account.nextPassword ?? account.password
  account.nextPassword = null
  session.stale = true
  for (const other of liveSessions(account)) if (other !== session) other.endedAt = at
  return []
}

export function noteList(account: Account, heard: Heard): Faults {
  if (heard.kind === 'unknown') return []
  if (heard.status !== 200 || !heard.body.sessions) return [unexpected('A list of sessions', heard)]
  const listed = new Set(heard.body.sessions.map(({ id }) => id))
  return account.sessions.flatMap(({ id, endedAt }) => {
    if (endedAt === null && !listed.has(id)) return [`The live session ${id} is not listed.`]
    if (endedAt !== null && listed.has(id)) return [`Session ${id} is listed, but has ended.`]
    return []
  })
}

/** A row of a family at the end. */
export interface StoredFamily {
  id: string
  generation: number
  ended: boolean
}

/** Compares what was acknowledged with what is stored. */
export function compareWithStored(
  account: Account,
  stored: { users: ReadonlySet<string>; families: ReadonlyMap<string, StoredFamily> },
): Faults {
  if (!account.registered) return []
  const missing = stored.users.has(account.email) ? [] : [`The user ${account.email} is lost.`]
  const faults = account.sessions.flatMap(({ id, generation, endedAt, attempt }) => {
    const family = stored.families.get(id)
    if (family === undefined) return [`Session ${id} is lost.`]
    if (endedAt !== null && !family.ended) return [`The end of session ${id} is lost.`]
    if (endedAt === null && family.ended) return [`Session ${id} ended without a cause.`]
    // One more rotation may have been carried out without a response.
    const most = generation + (attempt === null ? 0 : 1)
    const isRight = family.generation >= generation && family.generation <= most
    return isRight ? [] : [`Session ${id} is at generation ${family.generation}; ${generation} was acknowledged.`]
  })
  return [...missing, ...faults]
}

function unexpected(what: string, { status, body }: { status: number; body: Body }): string {
  const how = [body.code, body.reason].filter((text) => text !== undefined).join(' ')
  return `${what} was answered with ${status} ${how}`.trimEnd() + '.'
}

const PREFIX = 'spr_'
const GENERATION_AT = 33

function generationOf(refreshToken: string): number {
  return Buffer.from(refreshToken.slice(PREFIX.length), 'base64url').readUInt32BE(GENERATION_AT)
}
