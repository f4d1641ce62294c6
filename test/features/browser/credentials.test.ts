import fastifyCookie from '@fastify/cookie'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import {
  createDoor,
  createSessionCookies,
  genuineCookies,
  replyWithTokens,
  requirePresented,
  type CarriedCookies,
  type SessionCookies,
  type SessionCookiesOptions,
} from '../../../src/features/browser/credentials.js'
import { presentUser } from '../../../src/features/accounts/accounts.js'
import { createDeviceCookie } from '../../../src/features/browser/device-cookie.js'
import { createKnownDevices } from '../../../src/features/browser/known-devices.js'
import type { SessionTokens } from '../../../src/features/families/families.js'
import { Problem } from '../../../src/platform/problem.js'
import type { Clock } from '../../../src/platform/clock.js'
import { generateSecretKey, parseSecretKey, SecretKeys } from '../../../src/platform/crypto/secret-keys.js'
import type { Mode } from '../../../src/wire/mode.js'
import type { TokenReply } from '../../../src/wire/token-reply.js'
import { createTestClock } from '../../support/clock.js'

const now = new Date('2026-01-01T00:00:00.000Z')

const plain = { publicUrl: 'http://localhost:3000', sameSite: null } as const
const secure = { publicUrl: 'https://auth.example.com', sameSite: null } as const

/** The tokens of a family that expires in 100.9 seconds. */
function tokensOf({ mode, remember }: { mode: Mode; remember: boolean }) {
  const family = { mode, remember, expiresAt: new Date(now.getTime() + 100_900) }
  return { refreshToken: 'refresh', accessToken: { token: 'access', expiresInSeconds: 600 }, family } as SessionTokens
}

/** The `Set-Cookie` headers of a reply. */
async function replyHeaders(
  options: SessionCookiesOptions,
  work: (cookies: SessionCookies, reply: FastifyReply, request: FastifyRequest) => void,
  sent = '',
): Promise<string[]> {
  const cookies = createSessionCookies(options)
  const app = Fastify()
  await app.register(fastifyCookie)
  app.get('/', (request, reply) => {
    work(cookies, reply, request)
    return ''
  })
  const { headers } = await app.inject({ url: '/', headers: { cookie: sent } })
  return [headers['set-cookie'] ?? []].flat()
}

const setBoth = (tokens: SessionTokens) => (cookies: SessionCookies, reply: FastifyReply) => {
  cookies.setRefreshToken(reply, tokens, now)
  cookies.setAccessToken(reply, tokens)
}

t.test('WEB-01, WEB-02: the cookies that are set, and their lifetime', async (t) => {
  const session = await replyHeaders(plain, setBoth(tokensOf({ mode: 'session', remember: true })))
  t.strictSame(session, [
    'sallyport_rt=refresh; Max-Age=100; Path=/; HttpOnly; SameSite=Lax',
    'sallyport_at=access; Max-Age=600; Path=/; HttpOnly; SameSite=Lax',
  ])
  const cookie = await replyHeaders(secure, setBoth(tokensOf({ mode: 'cookie', remember: false })))
  t.strictSame(
    cookie,
    [
      '__Host-Http-sallyport_rt=refresh; Path=/; HttpOnly; Secure; SameSite=Strict',
      '__Host-Http-sallyport_at=access; Path=/; HttpOnly; Secure; SameSite=Strict',
    ],
    'session cookies, if the user did not ask to be remembered',
  )
})

t.test('COOKIE_SAMESITE overrides the mode, and cookies for other sites are partitioned', async (t) => {
  const tokens = tokensOf({ mode: 'session', remember: false })
  const [strict] = await replyHeaders({ ...secure, sameSite: 'strict' }, setBoth(tokens))
  t.equal(strict, '__Host-Http-sallyport_rt=refresh; Path=/; HttpOnly; Secure; SameSite=Strict')
  const [crossSite] = await replyHeaders({ ...secure, sameSite: 'none' }, setBoth(tokens))
  t.equal(crossSite, '__Host-Http-sallyport_rt=refresh; Path=/; HttpOnly; Secure; Partitioned; SameSite=None')
  for (const sameSite of ['strict', 'lax', 'none', null] as const) {
    t.equal(createSessionCookies({ ...secure, sameSite }).crossSite, sameSite === 'none', String(sameSite))
  }
})

t.test('a logout deletes both cookies if the request had either', async (t) => {
  const clear = (cookies: SessionCookies, reply: FastifyReply, request: FastifyRequest) => cookies.clear(request, reply)
  const cleared = [
    'sallyport_at=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
    'sallyport_rt=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
  ]
  t.strictSame(await replyHeaders(plain, clear, 'sallyport_rt='), cleared)
  t.strictSame(await replyHeaders(plain, clear, 'sallyport_at=1'), cleared)
  t.strictSame(await replyHeaders(plain, clear, 'other=1; sallyport_device=1'), [])
  t.strictSame(await replyHeaders(plain, clear), [])
})

t.test('each cookie is read by its own name', async (t) => {
  const cookies = createSessionCookies(plain)
  const request = { headers: { cookie: 'sallyport_at=a; sallyport_rt=r; sallyport_rt=s' } } as FastifyRequest
  t.strictSame(cookies.readAccessTokens(request), ['a'])
  t.strictSame(cookies.readRefreshTokens(request), ['r', 's'])
  t.strictSame(cookies.names, { access: 'sallyport_at', refresh: 'sallyport_rt' })
})

const cookies = createSessionCookies(plain)

/** Genuine texts are those such as `a7`, the seventh generation of the family `a`. */
function parse(text: string) {
  const [, handle, generation] = /^([a-z])(\d)$/.exec(text) ?? []
  return handle === undefined ? null : { handle: Buffer.from(handle), generation: Number(generation) }
}

const textOf = ({ handle, generation }: { handle: Buffer; generation: number }) => `${handle.toString()}${generation}`

function requestWith(refreshCookies: string[]): FastifyRequest {
  const cookie = ['other=b1', ...refreshCookies.map((text) => `sallyport_rt=${text}`)].join('; ')
  return { headers: { cookie } } as FastifyRequest
}

t.test('WEB-12: the newest token of each family, despite planted cookies', async (t) => {
  const table: [string[], string[]][] = [
    [[], []],
    [['a0'], ['a0']],
    [['forged'], []],
    [['forged', 'a1', ''], ['a1']],
    [['a1', 'a2'], ['a2']],
    [['a2', 'a1'], ['a2']],
    [['a0', 'a0'], ['a0']],
    [
      ['a1', 'b0', 'a3'],
      ['a3', 'b0'],
    ],
  ]
  for (const [sent, genuine] of table) {
    t.strictSame(genuineCookies(requestWith(sent), { cookies, parse }).map(textOf), genuine, sent.join())
  }
})

/** The token that a request presents, or the code that refuses it, and the number of forged tokens counted. */
function present(sent: string[], body: Parameters<typeof requirePresented>[1]) {
  let forged = 0
  try {
    const { token, carrier } = requirePresented(requestWith(sent), body, {
      cookies,
      parse,
      countForged: () => forged++,
    })
    return [`${textOf(token)} ${carrier}`, forged]
  } catch (error) {
    return [(error as { code?: string }).code, forged]
  }
}

t.test('REF-18, WEB-12: a request presents exactly one token', async (t) => {
  const inBody = (text?: string) => ({ refresh_token: text })
  const table: [string, string[], ReturnType<typeof inBody> | null | undefined, string, forged?: number][] = [
    ['nothing', [], undefined, 'refresh_token_missing'],
    ['a body that is null', [], null, 'refresh_token_missing'],
    ['a body without a token', [], inBody(), 'refresh_token_missing'],
    ['one in the body', [], inBody('a1'), 'a1 body'],
    ['a forged one in the body', [], inBody('forged'), 'refresh_token_invalid', 1],
    ['an empty one in the body', [], inBody(''), 'refresh_token_invalid', 1],
    ['one in a cookie', ['a1'], undefined, 'a1 cookie'],
    ['one in a cookie, and an empty body', ['a1'], inBody(), 'a1 cookie'],
    ['two generations in cookies', ['a1', 'a2'], null, 'a2 cookie'],
    ['one with a planted one', ['forged', 'a1'], null, 'a1 cookie'],
    ['only forged cookies', ['forged', 'forged'], null, 'refresh_token_invalid', 1],
    ['an empty cookie', [''], null, 'refresh_token_invalid', 1],
    ['two families in cookies', ['a1', 'b1'], null, 'ambiguous_credentials'],
    ['the same in both', ['a1'], inBody('a1'), 'a1 body'],
    ['the same in both, with an older cookie', ['a0', 'a1'], inBody('a1'), 'a1 body'],
    ['another generation in both', ['a2'], inBody('a1'), 'ambiguous_credentials'],
    ['another family in both', ['b1'], inBody('a1'), 'ambiguous_credentials'],
    ['another family in one of the cookies', ['a1', 'b1'], inBody('a1'), 'ambiguous_credentials'],
    ['a forged one in the body, a genuine cookie', ['a1'], inBody('forged'), 'ambiguous_credentials'],
    ['a genuine one in the body, a forged cookie', ['forged'], inBody('a1'), 'a1 body'],
    ['a forged one in both', ['forged'], inBody('forged'), 'refresh_token_invalid', 1],
  ]
  for (const [what, sent, body, outcome, forged = 0] of table) {
    t.strictSame(present(sent, body), [outcome, forged], what)
  }
})

t.test('WEB-04: cookies that do not count are not read, and their refusal is the answer', async (t) => {
  const cookieRefusal = new Problem('cross_site_request')
  const request = Object.assign(requestWith(['a1']), { cookieRefusal })
  t.strictSame(cookies.readAccessTokens(request), [])
  t.strictSame(cookies.readRefreshTokens(request), [])
  const reading = { cookies, parse, countForged: () => t.fail('Nothing is forged.') }
  t.throws(() => requirePresented(request, null, reading), cookieRefusal)
  t.match(requirePresented(request, { refresh_token: 'b1' }, reading), { carrier: 'body' })
})

t.test('REF-18, WEB-02: each mode returns its tokens in its own transport', async (t) => {
  const user = {
    ...{ id: 'u', email: 'ada@example.com', name: null, emailVerifiedAt: null, roles: [], createdAt: now },
    ...{ epoch: 1, bannedAt: null, bannedUntil: null, passwordSetAt: now, factors: [], trustEpoch: 0 },
    ...{ hasPassword: true },
  }
  const shared = {
    ...{ token_type: 'Bearer', expires_in: 600, expires_at: '2026-01-01T00:10:00.000Z' },
    refresh_expires_at: '2026-01-01T00:01:40.900Z',
    user: presentUser(user),
  }
  const table: [Mode, Partial<TokenReply>, string[]][] = [
    ['json', { access_token: 'access', refresh_token: 'refresh' }, []],
    ['cookie', { access_token: 'access' }, ['sallyport_rt']],
    ['session', {}, ['sallyport_rt', 'sallyport_at']],
  ]
  for (const [mode, inBody, names] of table) {
    const { accessToken, family, ...tokens } = tokensOf({ mode, remember: false })
    const issued = {
      ...{ ...tokens, user, refreshExpiresAt: family.expiresAt },
      accessToken: { ...accessToken, expiresAt: new Date(now.getTime() + 600_000) },
      family: { ...family, id: 'f', deviceName: 'Firefox' },
    } as SessionTokens
    let body: TokenReply | undefined
    const headers = await replyHeaders(plain, (cookies, reply) => {
      body = replyWithTokens(reply, issued, { cookies, clock: { now: () => now } as Clock })
    })
    t.strictSame(body, { ...shared, ...inBody, session: { id: 'f', mode, device_name: 'Firefox' } }, mode)
    t.strictSame(
      headers.map((header) => header.replace(/=.*/, '')),
      names,
      mode,
    )
  }
})

t.test(
  'WEB-04: a sign-in from another site is refused, unless it is known what the browser carried before',
  async (t) => {
    const clock: Clock = { ...createTestClock(), now: () => now }
    const secret = parseSecretKey(generateSecretKey())
    if (secret === null) throw new Error('The generated secret is invalid.')
    const door = createDoor({
      ...{ cookies, parse, clock, deviceCookie: createDeviceCookie(plain) },
      devices: createKnownDevices({ secrets: new SecretKeys(secret), clock, trustSeconds: 0 }),
      requireSignInAllowed() {
        throw new Problem('cross_site_request')
      },
    })
    /** The tokens that a sign-in replaces; null if it is refused. */
    const enter = async (mode: Mode, carried?: CarriedCookies) => {
      const app = Fastify()
      app.get('/', (_request, reply) =>
        door.contextOf(reply, { email: 'ada@example.com', mode }, carried).replaces.map(textOf),
      )
      const answer = await app.inject('/')
      return answer.statusCode === 200 ? answer.json<string[]>() : null
    }
    for (const mode of ['cookie', 'session'] as const) {
      t.equal(await enter(mode), null)
      t.strictSame(await enter(mode, { refresh: ['a1'], device: [] }), ['a1'])
    }
    t.strictSame(await enter('json'), [], 'tokens in a body are set in no browser')
    const leaving = { headers: { cookie: 'sallyport_rt=a1; sallyport_device=spd_1' } } as FastifyRequest
    t.strictSame(door.carriedBy(leaving), { refresh: ['a1'], device: ['spd_1'] })
  },
)
