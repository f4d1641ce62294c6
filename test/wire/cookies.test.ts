import t from 'tap'
import { cookieName, readCookies, sessionCookieNames } from '../../src/wire/cookies.js'

t.test('WEB-12: all values of one cookie are read, in the order in which they were sent', (t) => {
  const table: [string | undefined, string[]][] = [
    [undefined, []],
    ['', []],
    ['rt=1', ['1']],
    ['rt=planted; rt=genuine', ['planted', 'genuine']],
    ['rt=1;rt=2;  rt=3', ['1', '2', '3']],
    ['a=b; rt=1; c=d', ['1']],
    ['rt = 1 ;\trt\t=\t2\t', ['1', '2']],
    ['rt=a=b==', ['a=b==']],
    ['rt=', ['']],
    ['rt="1"', ['"1"']],
    ['rt=%41', ['%41']],
    // Neither a cookie without a name, nor one with a similar name, belongs to this server.
    ['rt; =rt; RT=1; xrt=1; rt2=1', []],
    ['rtx; r t=1', []],
    ['rt=a b', ['a b']],
    ['  rt  =  1  ', ['1']],
    ['\u00a0rt=1; rt\u00a0=1', []],
    ['__proto__=1; rt=2', ['2']],
    [';;;=;rt=1;', ['1']],
  ]
  for (const [header, values] of table) t.strictSame(readCookies(header, 'rt'), values, header ?? 'no header')
  t.end()
})

t.test('ABU-08: at most four values of one cookie are looked at', (t) => {
  const header = (count: number) => Array.from({ length: count }, (_, index) => `rt=${index}; other=x`).join('; ')
  t.strictSame(readCookies(header(4), 'rt'), ['0', '1', '2', '3'])
  t.strictSame(readCookies(header(68), 'rt'), ['0', '1', '2', '3'])
  t.end()
})

t.test('WEB-01: the names carry the prefix wherever the address is https', (t) => {
  t.strictSame(sessionCookieNames('http://localhost:3000'), { access: 'sallyport_at', refresh: 'sallyport_rt' })
  t.strictSame(sessionCookieNames('https://example.com'), {
    access: '__Host-Http-sallyport_at',
    refresh: '__Host-Http-sallyport_rt',
  })
  t.equal(cookieName('https://example.com', 'device'), '__Host-Http-sallyport_device')
  t.equal(cookieName('https://example.com', 'device', 'shop'), '__Host-Http-shop_device')
  t.strictSame(sessionCookieNames('http://localhost:3000', 'shop'), { access: 'shop_at', refresh: 'shop_rt' })
  t.end()
})
