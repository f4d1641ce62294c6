import t from 'tap'
import { isSameSite } from '../../../src/features/browser/cross-site.js'

const origins = new Set(['https://auth.example', 'https://app.example'])

const methods = {
  safe: ['GET', 'HEAD', 'OPTIONS'],
  unsafe: ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'TRACE'],
}
const originHeaders: Record<'listed' | 'foreign' | 'absent', (string | undefined)[]> = {
  listed: ['https://auth.example', 'https://app.example'],
  foreign: [
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'https://app.example/',
    'https://APP.example',
    'https://app.example, https://app.example',
    'http://app.example',
    'null',
    '*',
    '',
  ],
  absent: [undefined],
}
const fetchSites: Record<'own' | 'other' | 'absent', (string | undefined)[]> = {
  own: ['same-origin', 'none'],
  other: ['same-site', 'cross-site', 'Same-Origin', 'same-origin, cross-site', ''],
  absent: [undefined],
}
const csrfHeaders: Record<'given' | 'wrong', (string | undefined)[]> = {
  given: ['1'],
  wrong: ['0', 'true', '1, 1', '', undefined],
}
const cookies = { carried: [true], none: [false] }

type Column<Kinds> = keyof Kinds | 'any'
type Rule = [
  method: Column<typeof methods>,
  origin: Column<typeof originHeaders>,
  fetchSite: Column<typeof fetchSites>,
  csrfHeader: Column<typeof csrfHeaders>,
  cookie: Column<typeof cookies>,
  outcome: 'passes' | 'refused',
]

/** Every combination is judged by exactly one of these. */
const rules: Rule[] = [
  // method   Origin     Sec-Fetch-Site  X-Sallyport-CSRF  cookie
  ['safe', 'any', 'any', 'any', 'any', 'passes'],
  ['unsafe', 'listed', 'any', 'any', 'any', 'passes'],
  ['unsafe', 'foreign', 'any', 'any', 'any', 'refused'],
  ['unsafe', 'absent', 'own', 'any', 'any', 'passes'],
  ['unsafe', 'absent', 'other', 'any', 'any', 'refused'],
  ['unsafe', 'absent', 'absent', 'given', 'any', 'passes'],
  ['unsafe', 'absent', 'absent', 'wrong', 'none', 'passes'],
  ['unsafe', 'absent', 'absent', 'wrong', 'carried', 'refused'],
]

t.test('WEB-04: who may act by a cookie, in every combination of what a browser tells', async (t) => {
  let judged = 0
  for (const [methodKind, method] of pairsOf(methods)) {
    for (const [originKind, origin] of pairsOf(originHeaders)) {
      for (const [siteKind, secFetchSite] of pairsOf(fetchSites)) {
        for (const [csrfKind, csrfHeader] of pairsOf(csrfHeaders)) {
          for (const [cookieKind, hasCookie] of pairsOf(cookies)) {
            const kinds = [methodKind, originKind, siteKind, csrfKind, cookieKind]
            const matching = rules.filter((rule) => kinds.every((kind, at) => rule[at] === 'any' || rule[at] === kind))
            const outcome = isSameSite({ method, origin, secFetchSite, csrfHeader }, { origins, hasCookie })
            judged += 1
            const expected = matching.map((rule) => rule[5])
            if (expected.length === 1 && (expected[0] === 'passes') === outcome) continue
            t.fail(JSON.stringify({ method, origin, secFetchSite, csrfHeader, hasCookie, outcome, expected }))
          }
        }
      }
    }
  }
  t.equal(judged, 9 * 13 * 8 * 6 * 2, 'every combination was judged by one rule')
})

function pairsOf<Value>(kinds: Record<string, Value[]>): [string, Value][] {
  return Object.entries(kinds).flatMap(([kind, values]) => values.map((value): [string, Value] => [kind, value]))
}
