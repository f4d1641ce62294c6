import QuickLRU from 'quick-lru'
import t from 'tap'
import { exampleClaims } from '../../src/wire/claims.js'
import { createVerifiedTokens, VERIFIED_CACHE_SIZE, type VerifiedToken } from '../../src/wire/access-token.js'

function create() {
  const cache = new QuickLRU<string, VerifiedToken>({ maxSize: VERIFIED_CACHE_SIZE })
  return { cache, tokens: createVerifiedTokens(cache) }
}

const now = new Date('2026-01-01T12:00:00Z')
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * 60_000)
const lasting = (minutes: number): VerifiedToken => ({
  kid: 'one',
  claims: { ...exampleClaims, exp: inMinutes(minutes).getTime() / 1000 },
})

t.test('expired tokens are evicted, valid ones are not', async (t) => {
  const { cache, tokens } = create()
  const kept = lasting(60)
  for (let each = 0; each < 100; each += 1) tokens.remember(`short ${each}`, lasting(10), now)
  tokens.remember('long', kept, now)
  tokens.remember('soon', kept, inMinutes(9))
  t.equal(cache.size, 102)
  tokens.remember('later', kept, inMinutes(12))
  t.equal(cache.size, 3)
  t.equal(tokens.find('long'), kept)
  t.equal(tokens.find('short 1'), undefined)
})

t.test('there are never more than twice the size of the cache, and recently used ones stay', async (t) => {
  const { cache, tokens } = create()
  tokens.remember('used', lasting(60), now)
  for (let each = 0; each < 4 * VERIFIED_CACHE_SIZE; each += 1) {
    tokens.remember(`other ${each}`, lasting(60), now)
    tokens.find('used')
    if (cache.size > 2 * VERIFIED_CACHE_SIZE) t.fail(`${cache.size} tokens`)
  }
  t.not(tokens.find('used'), undefined)
  t.equal(tokens.find('other 0'), undefined)
  tokens.forget('used')
  t.equal(tokens.find('used'), undefined)
})

t.test('a token is evicted a minute after it expired, and a minute after the last eviction', async (t) => {
  const { cache, tokens } = create()
  const after = (ms: number) => new Date(inMinutes(10).getTime() + ms)
  tokens.remember('a', lasting(10), now)
  tokens.remember('b', lasting(60), after(60_000))
  t.ok(cache.has('a'), 'expired for no longer than a minute')
  tokens.remember('b', lasting(60), after(119_999))
  t.ok(cache.has('a'), 'just before the next eviction')
  tokens.remember('b', lasting(60), after(120_000))
  t.notOk(cache.has('a'))
})
