// The API as clients use it: one function for each call, which returns the response.

import { randomUUID } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import type { AppInstance } from '../../src/platform/http/app-instance.js'
import type { UserClaims } from '../../src/wire/claims.js'
import type { Mode } from '../../src/wire/mode.js'
import type { TokenReply } from '../../src/wire/token-reply.js'

export interface Answer<Body = unknown> {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** The Set-Cookie lines. */
  setCookies: string[]
  body: Body
}

export interface Call {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** An access token for `Authorization: Bearer`. */
  token?: string | undefined
  /** Becomes the JSON body. */
  body?: unknown
  /** The raw body, instead of `json`. */
  text?: string
  cookies?: Record<string, string>
  headers?: Record<string, string>
  /** The peer address of the connection: 127.0.0.1 by default. Only for requests in this process. */
  from?: string | undefined
}

export type ProblemBody = { code: string; reason?: string; errors?: { path: string; code: string }[] }
/** Members of a token reply or of a problem: tests state which they expect. */
export type TokenBody = TokenReply & ProblemBody

/** Strong enough for all tests that are not about passwords. */
export const PASSWORD = 'copper lantern drifts over seven hills'

export interface Api {
  call<Body = unknown>(path: string, call?: Call): Promise<Answer<Body>>
  register(body: Record<string, unknown>, call?: Call): Promise<Answer<TokenBody>>
  login(body: Record<string, unknown>, call?: Call): Promise<Answer<TokenBody>>
  /** Presents a refresh token of mode `json`; `key` is the Idempotency-Key. */
  refresh(refreshToken: string | undefined, options?: { key?: string }): Promise<Answer<TokenBody>>
  whoami(token: string | undefined): Promise<Answer<UserClaims & ProblemBody>>
  /** Registers a new user. */
  signUp(options?: { mode?: Mode; name?: string }): Promise<SignedUp>
}

export interface SignedUp {
  email: string
  password: string
  answer: Answer<TokenBody>
  accessToken: string
  refreshToken: string
  userId: string
  sessionId: string
}

/** Sends a request and returns the response. */
export type Carry = (request: CarriedRequest) => Promise<{ status: number; headers: Answer['headers']; text: string }>

export interface CarriedRequest {
  method: NonNullable<Call['method']>
  path: string
  headers: Record<string, string>
  body?: string
  from?: string
}

/** The API of an application in this process. */
export function createApi(server: AppInstance): Api {
  return createApiOver(async ({ method, path, headers, body, from }) => {
    const request: InjectOptions = {
      method,
      url: path,
      headers,
      ...(body === undefined ? {} : { payload: body }),
      ...(from === undefined ? {} : { remoteAddress: from }),
    }
    const { statusCode, headers: answered, payload } = await server.inject(request)
    return { status: statusCode, headers: answered as Answer['headers'], text: payload }
  })
}

export function createApiOver(carry: Carry): Api {
  async function call<Body>(path: string, options: Call = {}): Promise<Answer<Body>> {
    const { method = 'GET', token, body, cookies, headers = {} } = options
    const payload = options.text ?? (body === undefined ? undefined : JSON.stringify(body))
    const answer = await carry({
      method,
      path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookies && { cookie: cookieHeader(cookies) }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
      ...(options.from === undefined ? {} : { from: options.from }),
    })
    return {
      status: answer.status,
      headers: answer.headers,
      setCookies: [answer.headers['set-cookie'] ?? []].flat(),
      body: parseBody(answer.text) as Body,
    }
  }

  const api: Api = {
    call,
    register: (body, options) => call('/v1/auth/register', { method: 'POST', body, ...options }),
    login: (body, options) => call('/v1/auth/login', { method: 'POST', body, ...options }),
    refresh: (refreshToken, { key } = {}) =>
      call('/v1/auth/refresh', {
        method: 'POST',
        body: { refresh_token: refreshToken },
        ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
      }),
    whoami: (token) => call('/v1/whoami', { token }),
    async signUp({ mode = 'json', name } = {}) {
      const email = `${randomUUID()}@example.com`
      const answer = await api.register({ email, password: PASSWORD, mode, ...(name === undefined ? {} : { name }) })
      if (answer.status !== 201) throw new Error(`Sign-up was refused: ${JSON.stringify(answer.body)}`)
      return {
        email,
        password: PASSWORD,
        answer,
        accessToken: answer.body.access_token ?? '',
        refreshToken: answer.body.refresh_token ?? '',
        userId: answer.body.user.id,
        sessionId: answer.body.session.id,
      }
    },
  }
  return api
}

function parseBody(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    return payload
  }
}

function cookieHeader(cookies: Record<string, string>): string {
  return Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
}
