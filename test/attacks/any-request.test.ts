// Whoever sends what they like gets an answer that the document tells of, and never a 5xx.

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { PASSWORD, type Api } from '../support/api.js'
import { startApp } from '../support/app.js'
import { connectTo, type ReceivedAnswer } from '../support/client.js'
import { operationsOf, pathOf, type Operation } from '../support/operations.js'
import { problemCodes } from '../../src/wire/problem-codes.js'
import { modes } from '../../src/wire/mode.js'

const RUNS = 2000
const SEED = 20_261_122

/** Sessions that a random request may use, spoil or end. */
interface Credentials {
  email: string
  accessToken: string
  refreshToken: string
  sessionId: string
  cookies: Record<string, string>
}

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\0', '\ud800', 'null', '__proto__', '\'; DROP TABLE "user"; --', 'a@b.example', PASSWORD),
)
const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, true, 0, -1, 1e308, [], {}, [[[[[[[[[[[[]]]]]]]]]]]]),
  anyText,
)

const hostileHeaders = fc.dictionary(
  fc.constantFrom(
    ...['accept', 'authorization', 'content-encoding', 'content-type', 'cookie', 'expect', 'idempotency-key', 'origin'],
    ...['if-none-match', 'sec-fetch-site', 'user-agent', 'x-forwarded-for', 'x-http-method-override', 'x-request-id'],
  ),
  fc.oneof(
    // What Node's client agrees to send as the value of a header.
    fc.string({ unit: fc.constantFrom(...Array.from('\t "%,;=/*\\abcABC019-.ÿ')) }),
    fc.constantFrom('null', '*', 'Bearer x', 'Bearer a.b.c', 'sallyport_rt=spr_x; sallyport_at=x', '127.0.0.1'),
    fc.constantFrom('application/json; charset=latin1', 'text/plain', 'gzip', '100-continue', 'cross-site'),
  ),
  { maxKeys: 3 },
)

/** The example of an operation, with members that are left out, added or replaced. */
function bodiesOf({ body }: Operation, credentials: Credentials): fc.Arbitrary<string | Buffer | undefined> {
  const example = { ...(z.record(z.string(), z.unknown()).safeParse(body?.example).data ?? {}) }
  const own = {
    email: fc.oneof(
      fc.constant(credentials.email),
      fc.uuid().map((id) => `${id}@example.com`),
    ),
    password: fc.constantFrom(PASSWORD, 'wrong lantern drifts over seven hills'),
    current_password: fc.constant(PASSWORD),
    new_password: fc.constant(PASSWORD),
    refresh_token: fc.constantFrom(credentials.refreshToken, credentials.accessToken, 'spr_x'),
    mode: fc.constantFrom(...modes),
  }
  const arbitraries = { ...own } as Record<string, fc.Arbitrary<unknown>>
  const members = Object.entries(example).map(([name, value]) => {
    const usual = arbitraries[name] ?? fc.constant(value)
    return [name, fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: anyJson })] as const
  })
  const valid = fc.record(Object.fromEntries(members))
  const incomplete = fc.record(Object.fromEntries(members), { requiredKeys: [] })
  const names = fc.oneof(fc.constantFrom('roles', 'id', 'email_verified', 'epoch', '__proto__'), fc.string())
  const more = fc.tuple(valid, fc.dictionary(names, anyJson)).map(([some, others]) => ({ ...some, ...others }))
  const json = fc
    .oneof({ weight: 5, arbitrary: valid }, incomplete, more, anyJson)
    .map((value) => JSON.stringify(value))
  return fc.oneof(
    { weight: body ? 8 : 1, arbitrary: json },
    { weight: body ? 1 : 8, arbitrary: fc.constant(undefined) },
    fc.string(),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  )
}

function pathsOf(operation: Operation, credentials: Credentials): fc.Arbitrary<string> {
  const id = fc.oneof(
    fc.constantFrom(credentials.sessionId, randomUUID(), '..', '%00', '%ff', '%2e%2e', 'null', "'"),
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
  )
  const query = fc.oneof(
    { weight: 4, arbitrary: fc.constant('') },
    fc.constantFrom('?', '?ended=true', '?ended=false', '?ended=1', '?ended=true&ended=false', '?__proto__=1', '?%ff'),
    fc.webQueryParameters().map((text) => `?${text}`),
  )
  return fc.tuple(id, query).map(([id, query]) => pathOf(operation, { id }) + query)
}

function credentialsOf({ accessToken, cookies }: Credentials): fc.Arbitrary<Record<string, string>> {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`)
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({ authorization: `Bearer ${accessToken}` }) },
    fc.constant({ cookie: cookie.join('; '), origin: 'http://localhost:3000' }),
    fc.constant({ cookie: cookie.join('; ') }),
    fc.constant({ cookie: cookie.slice(0, 1).join('; '), 'x-sallyport-csrf': '1' }),
    fc.constant({}),
  )
}

async function makeCredentials(api: Api): Promise<Credentials> {
  const { email, accessToken, refreshToken, sessionId } = await api.signUp({ mode: 'json' })
  const { setCookies } = await api.login({ email, password: PASSWORD, mode: 'session' })
  const cookies = setCookies.map((line) => line.split(';', 1)[0]?.split('=') ?? [])
  return { email, accessToken, refreshToken, sessionId, cookies: Object.fromEntries(cookies) as Record<string, string> }
}

/** What is wrong with an answer, or null. */
function faultOf(operation: Operation, answer: ReceivedAnswer): string | null {
  if (answer.status >= 500) return `a ${answer.status}`
  if (!operation.statuses.includes(answer.status)) return `a ${answer.status}, which the document does not tell of`
  if (answer.status < 400) return null
  if (answer.headers['content-type'] !== 'application/problem+json; charset=utf-8')
    return 'a refusal that is no problem'
  const { code, status } = z.object({ code: z.string(), status: z.number() }).parse(JSON.parse(answer.text))
  if (!Object.hasOwn(problemCodes, code)) return `the unknown code ${code}`
  if (status !== answer.status) return `status ${status} in the body and ${answer.status} outside`
  return operation.problems.includes(code) ? null : `${code}, which the document does not tell of`
}

t.test('HTTP-01: any request to any operation gets an answer that the document tells of', async (t) => {
  const { app, api } = await startApp(t)
  const client = await connectTo(t, app.server)
  const operations = operationsOf(app.server)
  let credentials = await makeCredentials(api)
  let runs = 0
  const counts = new Map<number, number>()

  const anyRequest = fc.constantFrom(...operations).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      path: pathsOf(operation, credentials),
      body: bodiesOf(operation, credentials),
      headers: fc
        .tuple(credentialsOf(credentials), fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, hostileHeaders))
        .map(([own, hostile]) => ({ 'content-type': 'application/json', ...own, ...hostile })),
    }),
  )

  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ operation, path, headers, body }) => {
      runs += 1
      if (runs % 40 === 0) credentials = await makeCredentials(api)
      const answer = await client.send({ method: operation.method, path, headers, body })
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      const fault = faultOf(operation, answer)
      if (fault !== null) throw new Error(`${operation.id} answers ${fault}: ${answer.text}`)
    }),
    // A failure prints the seed, and how far it got with it. Shrinking would need the same sessions again.
    { seed: SEED, numRuns: RUNS, endOnFailure: true },
  )
  t.comment(JSON.stringify(Object.fromEntries(counts)))
  const accepted = [200, 201, 204].reduce((sum, status) => sum + (counts.get(status) ?? 0), 0)
  t.ok(accepted > RUNS / 20, `many are accepted: ${accepted}`)
  t.match(await api.call('/livez'), { status: 200 }, 'the process lives')
})
