import { readFileSync } from 'node:fs'
import t from 'tap'
import { z, ZodError } from 'zod'
import {
  exampleClaims,
  hasScopes,
  requireClaims,
  requireMaybeBoundClaims,
  userClaimsSchema,
} from '../../src/wire/claims.js'

const { sid, epoch, auth_time, amr, ...shared } = exampleClaims
const clientClaims = { ...shared, sub: 'reporting', client_id: 'reporting' }
const numericDates = ['iat', 'nbf', 'exp'] as const

/** The error for the claims; null if they are accepted. */
function errorOf(payload: unknown): ZodError | null {
  try {
    requireClaims(payload)
    return null
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    return error
  }
}

const accepts = (t: Tap, payload: unknown, what: string) => t.ok(errorOf(payload) === null, what)
const refuses = (t: Tap, payload: unknown, what: string) => t.ok(errorOf(payload) !== null, what)
type Tap = Pick<typeof t, 'ok'>

t.test("TOK-10: the claims of a user's token, each of its kind", async (t) => {
  accepts(t, exampleClaims, 'as issued')
  for (const name of Object.keys(exampleClaims)) {
    // Tokens of earlier versions have no level.
    if (name !== 'acr') refuses(t, { ...exampleClaims, [name]: undefined }, `without ${name}`)
    refuses(t, { ...exampleClaims, [name]: null }, `${name} is null`)
    refuses(t, { ...exampleClaims, [name]: {} }, `${name} is an object`)
  }
  for (const name of [...numericDates, 'epoch', 'auth_time']) {
    for (const value of [0.5, -1, '1', Infinity]) refuses(t, { ...exampleClaims, [name]: value }, `${name}: ${value}`)
  }
  for (const name of ['sub', 'sid', 'jti'])
    refuses(t, { ...exampleClaims, [name]: 'not a UUID' }, `${name} is not a UUID`)
  for (const name of ['iss', 'aud', 'client_id']) refuses(t, { ...exampleClaims, [name]: '' }, `${name} is empty`)
  for (const name of ['roles', 'amr']) {
    accepts(t, { ...exampleClaims, [name]: [] }, `${name}: none`)
    for (const value of [[''], [1], 'one']) refuses(t, { ...exampleClaims, [name]: value }, `${name}: ${String(value)}`)
  }
})

t.test('TOK-07: an audience is one or several', async (t) => {
  accepts(t, { ...exampleClaims, aud: ['a', 'b'] }, 'several')
  for (const aud of [[], [''], [1]]) refuses(t, { ...exampleClaims, aud }, JSON.stringify(aud))
})

t.test('acr is text or absent', async (t) => {
  accepts(t, { ...exampleClaims, acr: 'aal1' }, 'a level')
  accepts(t, { ...exampleClaims, acr: undefined }, 'none')
  for (const acr of ['', 1, null]) refuses(t, { ...exampleClaims, acr }, JSON.stringify(acr))
})

for (const [whose, claims] of Object.entries({ user: exampleClaims, client: clientClaims })) {
  t.test(`TOK-09: a lifetime of a ${whose}'s token is positive and at most an hour`, async (t) => {
    const lasting = (seconds: number) => ({ ...claims, exp: claims.iat + seconds })
    refuses(t, lasting(-1), 'expires before it begins')
    refuses(t, lasting(0), 'none')
    accepts(t, lasting(1), 'a second')
    accepts(t, lasting(3600), 'an hour')
    refuses(t, lasting(3601), 'longer')
  })

  t.test(`RFC 7800: a ${whose}'s token that is bound to a key is refused`, async (t) => {
    refuses(t, { ...claims, cnf: { jkt: 'x' } }, 'bound')
    refuses(t, { ...claims, cnf: null }, 'to an unknown kind of key')
  })

  t.test(`RFC 7519, 4: unknown claims of a ${whose}'s token are accepted, and frozen`, async (t) => {
    const tenant = { id: 1, path: [{ name: 'x' }] }
    const known = requireClaims({ ...claims, tenant, nothing: null })
    t.strictSame(known, { ...claims, tenant, nothing: null })
    t.ok(Object.isFrozen(known) && Object.isFrozen(known.roles))
    t.throws(() => Object.assign((known.tenant as typeof tenant).path[0] ?? {}, { name: 'y' }), TypeError)
  })
}

t.test("a client's token has none of a user's claims, and is its own subject", async (t) => {
  accepts(t, clientClaims, 'as issued')
  for (const [name, value] of Object.entries({ sid, epoch, auth_time, amr })) {
    refuses(t, { ...clientClaims, [name]: value }, name)
  }
  refuses(t, { ...clientClaims, sub: 'other' }, 'another subject')
  refuses(t, { ...clientClaims, sub: '', client_id: '' }, 'no name')
  refuses(t, 'claims', 'not an object')
})

t.test('inconsistent claims are refused with their path and the rule', async (t) => {
  const complaints = (payload: unknown) => errorOf(payload)?.issues.map(({ path, message }) => ({ path, message }))
  const lifetime = { path: ['exp'], message: 'Must be after iat, by at most one hour' }
  const bound = { path: ['cnf'], message: 'Sender-constrained tokens are not supported' }
  const subject = { path: ['sub'], message: 'Must be equal to client_id' }
  t.strictSame(complaints({ ...exampleClaims, exp: exampleClaims.iat, cnf: {} }), [lifetime, bound])
  const misfit = { ...clientClaims, exp: clientClaims.iat, cnf: {}, sub: 'x' }
  t.strictSame(complaints(misfit), [subject, lifetime, bound])
})

t.test('the document contains the example, and describes acr', async (t) => {
  const document: unknown = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))
  t.ok(JSON.stringify(document).includes(JSON.stringify(exampleClaims).slice(1, -1)))
  t.match(z.toJSONSchema(userClaimsSchema, { unrepresentable: 'any' }), {
    examples: [exampleClaims],
    properties: {
      acr: { description: /^The strength of the authentication/ },
      client_epoch: { description: /^Milliseconds since 1970/ },
    },
  })
})

t.test('RFC 6749, 3.3: a scope is a list of whole words, of which all that are wanted have to be there', async (t) => {
  const table: [string, string[], boolean][] = [
    ['orders:read orders:write', ['orders:read'], true],
    ['orders:read orders:write', ['orders:write', 'orders:read'], true],
    ['orders:read', ['orders:read', 'orders:write'], false],
    ['orders:read', ['orders'], false],
    ['', ['orders:read'], false],
    ['', [], true],
    ['orders:read', [], true],
  ]
  for (const [scope, wanted, expected] of table)
    t.equal(hasScopes(scope, wanted), expected, `${scope}: ${wanted.join()}`)
})

t.test('RFC 9449, 6.1: where tokens may be bound to a key, it is read, and all else is checked as ever', async (t) => {
  const bound = requireMaybeBoundClaims({ ...exampleClaims, cnf: { jkt: 'thumbprint', other: 1 } })
  t.strictSame(bound.cnf?.jkt, 'thumbprint')
  t.equal(bound.sub, exampleClaims.sub)
  t.ok(Object.isFrozen(bound) && Object.isFrozen(bound.cnf))
  t.equal(requireMaybeBoundClaims(exampleClaims).cnf, undefined)
  t.equal(requireMaybeBoundClaims(clientClaims).sub, 'reporting')
  refuses(t, { ...exampleClaims, cnf: { jkt: 'thumbprint' } }, 'elsewhere, a bound token is refused')
  for (const payload of [
    { ...exampleClaims, cnf: {} },
    { ...exampleClaims, cnf: { jkt: '' } },
    { ...exampleClaims, cnf: null },
    { ...exampleClaims, sub: undefined },
    { ...clientClaims, sub: 'another client' },
  ]) {
    t.throws(() => requireMaybeBoundClaims(payload), ZodError, JSON.stringify(payload))
  }
})
