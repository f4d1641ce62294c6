// What a refresh comes to, without what is random: the answer, the tokens, and what is stored.

import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import type { TestApp } from './app.js'
import type { RawAnswer } from './raw-form.js'

/** What two ways to answer the same request have to agree on. */
export interface Seen {
  status: number
  headers: Record<string, string>
  /** The members of the body in their order; the text where it is not JSON. */
  body: [name: string, value: unknown][] | string
  family: Record<string, unknown> | null
  /** What the audit trail has been told. */
  events: unknown[]
  counted: string[]
}

interface About {
  client: { clientId: string }
  user: { userId: string; sessionId: string }
  sessionId: string
  token: string
  before: Snapshot
  counted: string[]
}

type Snapshot = Map<string, number>

const randomHeaders = ['date', 'x-request-id']
const times = ['iat', 'nbf', 'exp']

export async function createComparison({ app, api, clock, database }: TestApp) {
  const { families } = app.operator
  const { body: keySet } = await api.call<JSONWebKeySet>('/.well-known/jwks.json')
  const keys = createLocalJWKSet(keySet)

  const readEvents = () =>
    database.query((client) => client.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] }))

  /** Header and claims of a token whose signature is right. */
  async function readToken(text: string, now: number): Promise<unknown> {
    const { payload, protectedHeader } = await compactVerify(text, keys)
    const claims = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>
    const { iat } = claims
    const told = Object.entries(claims).map(([name, value]): [string, unknown] => {
      if (name === 'jti') return [name, typeof value]
      if (!times.includes(name)) return [name, value]
      return [name, name === 'iat' ? Math.abs(Number(iat) - now) < 60 : Number(value) - Number(iat)]
    })
    return [Object.entries(protectedHeader), told]
  }

  /** How a refresh token of the answer is related to the one that was presented. */
  function relate(text: string, presented: string): unknown {
    const [given, before] = [families.parse(text), families.parse(presented)]
    const isOfSameFamily = given !== null && before?.handle.equals(given.handle) === true
    return { isOfSameFamily, steps: (given?.generation ?? NaN) - (before?.generation ?? NaN) }
  }

  async function readBody(text: string, { token }: About): Promise<Seen['body']> {
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      return text
    }
    const seconds = (ms: number) => Math.floor(ms / 1000)
    const members: [string, unknown][] = []
    for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
      if (name === 'access_token') members.push([name, await readToken(String(value), seconds(clock.now().getTime()))])
      else if (name === 'id_token') members.push([name, await readToken(String(value), seconds(Date.now()))])
      else if (name === 'refresh_token') members.push([name, relate(String(value), token)])
      else members.push([name, name === 'instance' || name === 'request_id' ? typeof value : value])
    }
    return members
  }

  /** Rows without times, bytes and ids, which are random. */
  function readRow(row: Record<string, unknown>): Record<string, unknown> {
    const told = Object.entries(row).map(([name, value]): [string, unknown] => {
      if (value instanceof Date) return [name, 'a time']
      if (value instanceof Uint8Array) return [name, 'bytes']
      return [name, ['id', 'requestId'].includes(name) ? typeof value : value]
    })
    return Object.fromEntries(told)
  }

  /** Puts names in the place of the ids that each way has its own of. */
  function withNames<T>(value: T, { client, user, sessionId }: About): T {
    const names = {
      [client.clientId]: 'the client',
      [user.userId]: 'the user',
      [sessionId]: 'the session',
      [user.sessionId]: 'the parent',
    }
    let text = JSON.stringify(value)
    for (const [id, name] of Object.entries(names)) text = text.replaceAll(id, name)
    text = text.replaceAll(/"(client_epoch|epoch)",\d+/g, '"$1","a time"')
    text = text.replaceAll(/[0-9a-f-]{36}@example\.com/g, 'an address')
    return JSON.parse(text) as T
  }

  return {
    /** How often each event has been recorded so far. */
    async snapshot(): Promise<Snapshot> {
      return new Map((await readEvents()).map(({ id, times: count }) => [id, count]))
    },

    async see({ status, headers, text }: RawAnswer, about: About): Promise<Seen> {
      const { sessionId, before, counted } = about
      const family = await database.query((client) =>
        client.refreshTokenFamily.findUnique({ where: { id: sessionId } }),
      )
      const events = (await readEvents()).filter(({ id, times: count }) => before.get(id) !== count)
      const seen: Seen = {
        status,
        headers: Object.fromEntries(
          Object.entries(headers)
            .filter(([name]) => !randomHeaders.includes(name))
            .sort(),
        ),
        body: await readBody(text, about),
        family: family && readRow({ ...family }),
        events: events.map((event) => readRow({ ...event })),
        counted,
      }
      return withNames(seen, about)
    },
  }
}
