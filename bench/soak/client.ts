import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { untilHeard, type Call } from './calling.js'
import type { Outages } from './faults.js'
import * as ledger from './ledger.js'
import type { Account, Faults, Session } from './ledger.js'
import { createMailUse } from './mail-use.js'
import type { PostOffice } from './post-office.js'

export interface ClientOptions {
  call: Call
  outages: Outages
  /** Null where no mails are sent. */
  postOffice: Pick<PostOffice, 'codeOf'> | null
  /** Whether the run continues. */
  goesOn(): boolean
}

const PASSWORDS = ['amber windmill under nine clouds', 'quiet harbour below a paper moon'] as const

/** How often each action is chosen, as a share of all. */
const shares = { whoami: 40, refresh: 30, list: 8, login: 7, probe: 5, logout: 6, changePassword: 4, code: 4, reset: 2 }

const ACTIONS = 60
const MAX_SESSIONS = 6
const LONGEST_PAUSE_MS = 250
const RETRY_MS = 250
/** As a share of all refreshes. */
const LOST_ANSWERS = 0.1
/** Short, so that what is kept for the lifetime of a token has reached its full size after the warm-up. */
export const ACCESS_TOKEN_TTL_SECONDS = 180
/** Access tokens are refreshed before they expire. */
const RENEWED_AFTER_MS = 120_000

type Action = keyof typeof shares

/** The devices of one user, which act in turn until the run ends or there is a fault. */
export async function useAccount(options: ClientOptions): Promise<{ account: Account; faults: Faults }> {
  const account = ledger.openAccount(`${randomUUID()}@example.com`, PASSWORDS[0])
  const client = createClient(account, options)
  const faults = await client.register()
  const goesOn = () => faults.length === 0 && account.registered && options.goesOn()
  for (let action = 0; action < ACTIONS && goesOn(); action += 1) {
    await pause(Math.random() * LONGEST_PAUSE_MS)
    faults.push(...(await client.act(chooseAction())))
  }
  return { account, faults }
}

function createClient(account: Account, options: ClientOptions) {
  const { call, outages, postOffice, goesOn } = options
  const mailUse = postOffice && createMailUse(account, { call, postOffice, goesOn })
  const json = (body: object) => ({ method: 'POST', body: { ...body, mode: 'json' } }) as const

  const refreshOnce = (session: Session, hangUpAfterMs?: number) => {
    session.attempt ??= randomUUID()
    const body = { refresh_token: session.refreshToken }
    const how = { key: session.attempt, ...(hangUpAfterMs !== undefined && { hangUpAfterMs }) }
    return call({ method: 'POST', path: '/v1/auth/refresh', body, ...how })
  }

  /** Makes sure that a session has a usable access token. */
  async function freshen(session: Session): Promise<Faults> {
    if (!session.stale && performance.now() - session.issuedAt < RENEWED_AFTER_MS) return []
    return untilHeard(
      () => refreshOnce(session),
      (heard) => ledger.noteRefresh(session, heard),
    )
  }

  async function logIn(): Promise<Faults> {
    const { email, password } = account
    const ask = () => call({ ...json({ email, password }), path: '/v1/auth/login' })
    return untilHeard(ask, (heard) => ledger.noteLogin(account, heard))
  }

  async function whoami(session: Session): Promise<Faults> {
    const heard = await call({ method: 'GET', path: '/v1/whoami', token: session.accessToken })
    // While no instance learns of revocations, access tokens are valid until they expire: this is the meaning of
    // `allow`.
    const isDeaf = heard.kind === 'answer' && outages.explainRefusal(heard.at)
    return isDeaf && session.endedAt !== null ? [] : ledger.noteWhoami(session, heard)
  }

  async function changePassword(session: Session): Promise<Faults> {
    const from = account.password
    const to = otherThan(from)
    account.nextPassword = to
    for (let tries = 1; ; tries += 1) {
      const faults = await freshen(session)
      if (faults.length > 0) return faults
      const body = { current_password: from, new_password: to }
      const heard = await call({ method: 'PUT', path: '/v1/me/password', token: session.accessToken, body })
      // The change was carried out, and made its own access token stale.
      const isStale = heard.kind === 'answer' && tries > 1 && heard.body.code === 'token_stale'
      if (isStale) session.stale = true
      else if (heard.kind === 'answer') return ledger.notePasswordChange(account, session, heard, tries > 1)
      await pause(RETRY_MS)
    }
  }

  const actions: Record<Action, (session: Session) => Promise<Faults>> = {
    whoami,
    changePassword,
    refresh: async (session) => {
      const hangUpAfterMs = Math.random() < LOST_ANSWERS ? Math.random() * 15 : undefined
      return ledger.noteRefresh(session, await refreshOnce(session, hangUpAfterMs))
    },
    list: async (session) => {
      const faults = await freshen(session)
      if (faults.length > 0) return faults
      return ledger.noteList(account, await call({ method: 'GET', path: '/v1/sessions', token: session.accessToken }))
    },
    login: async () => (ledger.liveSessions(account).length < MAX_SESSIONS ? logIn() : []),
    logout: (session) =>
      untilHeard(
        () => call({ method: 'POST', path: '/v1/auth/logout', body: { refresh_token: session.refreshToken } }),
        (heard) => ledger.noteLogout(session, heard),
      ),
    code: async () => (ledger.liveSessions(account).length < MAX_SESSIONS && (await mailUse?.signInByCode())) || [],
    reset: async () => mailUse?.resetPassword(otherThan(account.password)) ?? [],
    // An ended session stays ended.
    probe: async () => {
      const ended = account.sessions.filter(({ endedAt }) => endedAt !== null).at(-1)
      if (ended === undefined) return []
      return [...(await whoami(ended)), ...ledger.noteRefresh(ended, await refreshOnce(ended))]
    },
  }

  return {
    register: () =>
      mailUse?.register() ??
      untilHeard(
        () => call({ ...json({ email: account.email, password: account.password }), path: '/v1/auth/register' }),
        (heard) => ledger.noteRegistration(account, heard),
      ),
    async act(action: Action): Promise<Faults> {
      const live = ledger.liveSessions(account)
      const session = live[Math.floor(Math.random() * live.length)]
      return session === undefined ? logIn() : actions[action](session)
    },
    logIn,
    actions,
  }
}

function otherThan(password: string): string {
  return PASSWORDS.find((other) => other !== password) ?? password
}

function chooseAction(): Action {
  const names = Object.keys(shares) as Action[]
  const all = names.reduce((sum, name) => sum + shares[name], 0)
  let place = Math.random() * all
  return names.find((name) => (place -= shares[name]) < 0) ?? 'whoami'
}

/** At the end: the acknowledged password still signs in, and live sessions continue. */
export async function lookAgain(account: Account, options: ClientOptions): Promise<Faults> {
  if (!account.registered) return []
  const client = createClient(account, options)
  const faults = await client.logIn()
  const [session] = ledger.liveSessions(account)
  return session === undefined ? faults : [...faults, ...(await client.actions.refresh(session))]
}
