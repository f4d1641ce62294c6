// RETURN_TO: which URLs an entry allows. What only looks like one of them leads to an attacker's page.

import t from 'tap'
import { isAppUrl, isListed, originOf } from '../../../src/platform/http/return-url.js'

const BELOW = 'https://app.example.com/shop'
const entries = [BELOW, 'http://localhost:5173/', 'https://open.example.com', 'com.example.app:/signed-in']
const exact = 'https://app.example.com/page?from=sallyport'

const allowed = [
  BELOW,
  `${BELOW}/`,
  `${BELOW}/cart`,
  `${BELOW}/cart/`,
  `${BELOW}?page=2`,
  `${BELOW}/cart?next=%2Fhome&a=b@c`,
  `${BELOW}/K%C3%A4se/@ada`,
  'http://localhost:5173/',
  'http://localhost:5173/any/page',
  'http://localhost:5173/?a=b',
  'https://open.example.com',
  'https://open.example.com/',
  'https://open.example.com/any?where=1',
  'https://open.example.com?a=b',
  'com.example.app:/signed-in',
  'com.example.app:/signed-in/again?a=b',
]

/** Grouped by the reader who would be led elsewhere by them. */
const hostile = {
  'another origin': [
    'https://eve.example/shop',
    'http://app.example.com/shop',
    'https://app.example.com:8443/shop',
    'https://app.example.com.eve.example/shop',
    'https://open.example.com.eve.example/',
    'https://open.example.comeve.example/',
    'https://open.example.com@eve.example/',
    'https://open.example.com:secret@eve.example/',
    'https://open.example.com:80/',
    'https://app.example.com@eve.example/shop',
    '//app.example.com/shop',
    '//eve.example',
    'http://localhost:5173',
    'http://localhost:51730/',
  ],
  'another spelling of the origin': [
    'HTTPS://app.example.com/shop',
    'https://APP.example.com/shop',
    'https://app.example.com./shop',
    'https:/app.example.com/shop',
    'https:app.example.com/shop',
    'https:\\\\app.example.com\\shop',
    'https://app.example.com:443/shop',
    'https://ａpp.example.com/shop',
  ],
  'another page of the origin': [
    'https://app.example.com',
    'https://app.example.com/',
    'https://app.example.com/shopping',
    'https://app.example.com/shop.html',
    'https://app.example.com/Shop',
    'https://app.example.com/%73hop',
    'https://app.example.com//shop',
    `${BELOW};a=b`,
    `${BELOW}:x`,
    `${BELOW}@eve.example`,
  ],
  'segments that lead up, in all spellings': [
    `${BELOW}/..`,
    `${BELOW}/../admin`,
    `${BELOW}/./../admin`,
    `${BELOW}/%2e%2e/admin`,
    `${BELOW}/.%2E/admin`,
    `${BELOW}/%2e/admin`,
    `${BELOW}/%252e%252e/admin`,
    `${BELOW}/..%2fadmin`,
    `${BELOW}/..%5cadmin`,
    `${BELOW}/..\\admin`,
  ],
  'slashes that a router may take for a host': [
    `${BELOW}//eve.example`,
    `${BELOW}/\\eve.example`,
    `${BELOW}/%2Feve.example`,
    `${BELOW}/%5Ceve.example`,
    'http://localhost:5173//eve.example',
    'https://open.example.com//eve.example',
    'https://open.example.com/\\eve.example',
    'https://open.example.com\\@eve.example',
    'https://open.example.com/%2f%2feve.example',
  ],
  'characters that one reader drops and another does not': [
    ` ${BELOW}`,
    `${BELOW} `,
    `${BELOW}\n`,
    `${BELOW}/\t../admin`,
    `${BELOW}/\r\nlocation: https://eve.example`,
    `${BELOW}/%0d%0alocation:%20https://eve.example`,
    `${BELOW}?a=%0a`,
    `${BELOW}/%00`,
    `${BELOW}/\0`,
    `${BELOW}/%7f`,
    `${BELOW}/%zz`,
    `${BELOW}/%`,
    `${BELOW}/a b`,
    `${BELOW}/<script>`,
    `${BELOW}/"`,
    `${BELOW}/\u202eeve`,
    `${BELOW}/∕eve`,
    `${BELOW}#`,
    `${BELOW}/#/eve`,
    `${BELOW}?a=b#c`,
  ],
  'another scheme': [
    'javascript:alert(1)',
    'javascript://app.example.com/shop%0aalert(1)',
    'data:text/html,shop',
    'blob:https://app.example.com/shop',
    'com.example.app:',
    'com.example.app:/',
    'com.example.app:/signed-in-too',
    'com.example.app:/signed-in/../other',
    'com.example.app://signed-in',
    'com.example.app:/signed-in//eve.example',
    'com.example.application:/signed-in',
    'xcom.example.app:/signed-in',
  ],
}

t.test('WEB-13: an entry of RETURN_TO allows itself and what is below it, by whole segments', async (t) => {
  for (const url of allowed) t.ok(isListed(entries, url), url)
})

t.test('WEB-13: an entry with a query allows itself alone', async (t) => {
  t.ok(isListed([exact], exact))
  for (const url of [`${exact}&a=b`, `${exact}/more`, 'https://app.example.com/page', `${exact}#`, `${exact} `]) {
    t.notOk(isListed([exact], url), url)
  }
})

t.test('WEB-13: no other spelling is allowed', async (t) => {
  for (const [what, urls] of Object.entries(hostile)) {
    for (const url of urls) t.notOk(isListed(entries, url), `${what}: ${JSON.stringify(url)}`)
  }
  t.ok(Object.values(hostile).flat().length >= 30)
  t.notOk(isListed(entries, ''))
  t.notOk(isListed([], 'https://app.example.com/'))
})

t.test('WEB-13: of an entry that has such a spelling itself, only that is allowed', async (t) => {
  const odd = 'https://app.example.com/a%2fb'
  t.ok(isListed([odd], odd))
  t.notOk(isListed([odd], `${odd}/c`))
})

t.test('an app has a scheme with a dot in it, and a host or none', async (t) => {
  for (const url of ['com.example.app:/', 'com.example.app:/a/b?c=d', 'com.example.app://host', 'c-1.x+y:/z']) {
    t.ok(isAppUrl(url), url)
  }
  for (const url of [
    ...['myapp:/a', 'com.example.app:', 'com.example.app:a', 'Com.example.app:/a', 'com..app:/a', '.app:/a', 'app.:/a'],
    ...[
      'com.example.app:/a#b',
      'com.example.app:/../a',
      'com.example.app:///a',
      'com.example.app://a@b/c',
      'https://a.b/',
    ],
  ]) {
    t.notOk(isAppUrl(url), url)
  }
  t.ok(isListed(['com.example.app://host'], 'com.example.app://host/a'))
  t.notOk(isListed(['com.example.app://host'], 'com.example.app://hosts/a'))
  t.notOk(isListed(['com.example.app:/'], 'com.example.app://eve/a'), 'no host is made of a path')
})

t.test('a form that leads to it names its origin, or the scheme of an app', async (t) => {
  t.equal(originOf('https://app.example.com:8443/a?b'), 'https://app.example.com:8443')
  t.equal(originOf('com.example.app:/signed-in'), 'com.example.app:')
})
