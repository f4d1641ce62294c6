import t from 'tap'
import { createGateway, toHeaderText } from '../../../src/features/gateway/gateway.js'
import type { Accounts } from '../../../src/features/accounts/accounts.js'
import { exampleClaims } from '../../../src/wire/claims.js'

t.test('no value can end its header, begin another one or pass for two', async (t) => {
  const cases = {
    'ada@example.com': 'ada@example.com',
    "o'hara+news@example.com": "o'hara+news@example.com",
    'a,admin': 'a%2Cadmin',
    'a\r\nX-Auth-Roles: admin': 'a%0D%0AX-Auth-Roles:%20admin',
    '100%2C': '100%252C',
    'ünï\u202e🐈': '%C3%BCn%C3%AF%E2%80%AE%F0%9F%90%88',
    '\u0000\u007f': '%00%7F',
  }
  for (const [value, expected] of Object.entries(cases)) {
    t.equal(toHeaderText(value), expected)
    t.equal(decodeURIComponent(expected), value, 'and nothing is lost')
  }
})

t.test('the address is read once for each version of the user', async (t) => {
  const reads: string[] = []
  const accounts = {
    require: (id: string) => {
      reads.push(id)
      return Promise.resolve({ email: `${reads.length}@example.com` })
    },
  } as unknown as Pick<Accounts, 'require'>
  const { identify } = createGateway({ accounts, headers: { email: 'X-Auth-Email' } })
  const claims = { ...exampleClaims, epoch: 1 }
  t.strictSame(await identify(claims), { 'X-Auth-Email': '1@example.com' })
  t.strictSame(await identify(claims), { 'X-Auth-Email': '1@example.com' })
  t.strictSame(await identify({ ...claims, epoch: 2 }), { 'X-Auth-Email': '2@example.com' })
  t.strictSame(reads, [claims.sub, claims.sub])

  const silent = createGateway({ accounts, headers: { user: 'X-Auth-User' } })
  await silent.identify({ ...claims, epoch: 3 })
  t.equal(reads.length, 2, 'and not at all where it is not told')
})
