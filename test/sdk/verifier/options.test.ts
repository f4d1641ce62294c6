import t from 'tap'
import { createVerifier, type VerifierOptions } from '../../../src/sdk/verifier/verifier.js'

const good = { issuer: 'http://127.0.0.1:9', audience: 'orders' }

t.test('invalid options are named when the verifier is created', async (t) => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ issuer: undefined }, /issuer/],
    [{ issuer: 'not an address' }, /url/],
    [{ audience: '' }, /audience/],
    [{ credential: 'secret' }, /credential/],
    [{ url: 'ftp://example.com' }, /url/],
    [{ url: 'https://example.com/?a=b' }, /url/],
    [{ algorithms: ['HS256'] }, /algorithms/],
    [{ algorithms: [] }, /algorithms/],
    [{ clockToleranceSeconds: 61 }, /clockToleranceSeconds/],
    [{ maxStalenessMs: 0 }, /maxStalenessMs/],
    [{ onStale: 'perhaps' }, /onStale/],
    [{ fetch: 'fetch' }, /fetch/],
    [{ maxStaleness: 5 }, /maxStaleness/],
  ]
  for (const [options, expected] of wrong) {
    const create = () => createVerifier(JSON.parse(JSON.stringify({ ...good, ...options })) as VerifierOptions)
    t.throws(create, { name: 'TypeError', message: expected }, JSON.stringify(options))
  }
})

t.test('without a credential, an error names the credential as a requirement of feed and live', async (t) => {
  const verifier = createVerifier({ ...good, onError: () => undefined })
  for (const freshness of ['feed', 'live'] as const) {
    await t.rejects(verifier.verify('a.b.c', { freshness }), { name: 'Error', message: /verifier:create/ })
  }
  await t.rejects(verifier.verify(null), { code: 'token_missing', status: 401 })
  await t.rejects(verifier.verify(undefined), { code: 'token_missing', status: 401 })
  verifier.close()
})
