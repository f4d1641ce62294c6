import t from 'tap'
import { banner } from '../src/banner.js'
import { readConfig } from '../src/config.js'

t.test('the banner of a first start shows the addresses and files, and the development defaults', async (t) => {
  const lines = banner(readConfig({}), { addresses: ['http://127.0.0.1:3000'], secretFile: '.data/secret.key' })
  t.strictSame(lines, [
    '',
    '  Sallyport is ready.',
    '',
    '  Start at   http://localhost:3000/',
    '  Try it     http://localhost:3000/docs',
    '  Mails      http://localhost:3000/dev/inbox shows them instead of sending them (set MAIL_URL to send them)',
    '  Data       .data, the embedded database (set DATABASE_URL to use Postgres)',
    '  Secret     .data/secret.key, generated for development (production requires SECRET_KEY)',
    '',
  ])
})

t.test('OPS-02: the banner shows which database it is, but no credential', async (t) => {
  const DATABASE_URL = 'postgres://user:hunter2@db.internal:5433/sallyport?password=hunter3'
  const text = banner(readConfig({ DATABASE_URL }), { addresses: [], secretFile: null }).join('\n')
  t.match(text, 'Postgres, db.internal:5433/sallyport\n')
  t.match(text, /Secret {5}SECRET_KEY\n/)
  t.notMatch(text, /hunter|user/)
})

t.test('the banner leaves out pages that are off, and the inbox where mails are sent', async (t) => {
  const MAIL = { MAIL_URL: 'smtps://mail.example.com', MAIL_FROM: 'no-reply@example.com' }
  for (const [settings, expected] of [
    [{ PAGES: 'off' }, ['http://localhost:3000/docs', 'http://localhost:3000/dev/inbox.json']],
    [MAIL, ['http://localhost:3000/', 'http://localhost:3000/docs']],
  ] as const) {
    const text = banner(readConfig(settings), { addresses: [], secretFile: null }).join('\n')
    t.strictSame(text.match(/http\S+/g), expected)
  }
})

t.test('the banner prints one address that works', async (t) => {
  const table: [Record<string, string>, listening: string, tried: string][] = [
    [{}, 'http://127.0.0.1:3000', 'http://localhost:3000'],
    [{ PORT: '0' }, 'http://127.0.0.1:41234', 'http://localhost:41234'],
    [{ HOST: '0.0.0.0' }, 'http://0.0.0.0:3000', 'http://localhost:3000'],
    [{ HOST: '::' }, 'http://[::]:3000', 'http://localhost:3000'],
    [{ HOST: '::1' }, 'http://[::1]:3000', 'http://localhost:3000'],
    [{ HOST: '192.168.1.20' }, 'http://192.168.1.20:3000', 'http://192.168.1.20:3000'],
    [{ PUBLIC_URL: 'https://auth.example.com' }, 'http://127.0.0.1:3000', 'https://auth.example.com'],
  ]
  for (const [settings, listening, tried] of table) {
    const text = banner(readConfig(settings), { addresses: [listening], secretFile: null }).join('\n')
    t.strictSame(text.match(/http\S+/g), [`${tried}/`, `${tried}/docs`, `${tried}/dev/inbox`], listening)
  }
})
