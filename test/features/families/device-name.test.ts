import t from 'tap'
import { deviceNameOf } from '../../../src/features/families/opening.js'

const mozilla = (system: string, rest: string) => `Mozilla/5.0 (${system}) ${rest}`
const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'

const table: [name: string | null, userAgent: string | null][] = [
  ['Firefox on Windows', mozilla('Windows NT 10.0; Win64; x64; rv:131.0', 'Gecko/20100101 Firefox/131.0')],
  ['Firefox on Linux', mozilla('X11; Linux x86_64; rv:131.0', 'Gecko/20100101 Firefox/131.0')],
  ['Chrome on Windows', mozilla('Windows NT 10.0; Win64; x64', `${webkit} Chrome/130.0.0.0 Safari/537.36`)],
  ['Chrome on Android', mozilla('Linux; Android 14; Pixel 8', `${webkit} Chrome/130.0.0.0 Mobile Safari/537.36`)],
  [
    'Microsoft Edge on Windows',
    mozilla('Windows NT 10.0', `${webkit} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.2849.80`),
  ],
  ['Safari on macOS', mozilla('Macintosh; Intel Mac OS X 10_15_7', `${webkit} Version/17.6 Safari/605.1.15`)],
  [
    'Safari on iOS',
    mozilla('iPhone; CPU iPhone OS 17_6 like Mac OS X', `${webkit} Version/17.6 Mobile/15E148 Safari/604.1`),
  ],
  ['Googlebot', 'Googlebot/2.1 (+http://www.google.com/bot.html)'],
  [null, null],
  [null, ''],
  [null, '   '],
  [null, '()'],
  [null, 'curl/8.9.1'],
  [null, 'okhttp/4.12.0'],
  [null, 'MyApp/1.0 CFNetwork/1410.0.3 Darwin/22.6.0'],
  [null, '<script>alert(1)</script>/1.0 (x)'],
  [null, 'constructor/1 (x)'],
  [null, '__proto__/1 (x)'],
  [null, `${'a'.repeat(500)}/1.0 (x)`],
  [null, 'a/b ('.repeat(100)],
  ['Linux', `${'a'.repeat(400)}/1.0 (Linux)`],
]

t.test('a device name is derived from known parts of the user agent only', async (t) => {
  for (const [name, userAgent] of table) t.equal(deviceNameOf(userAgent), name, userAgent?.slice(0, 60) ?? 'null')
})
