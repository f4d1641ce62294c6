import t from 'tap'
import { banner } from '../src/banner.js'
import { readConfig } from '../src/config.js'

t.test('the banner of a first start shows the addresses and files, and the development defaults', async (t) => {
  const lines = banner(readConfig({}), { addresses: ['http://127.0.0.1:3000'], secretFile: '.data/secret.key' })
  t.strictSame(lines, [
    '',
    '  Sallyport is ready.',
    '',
    '  Listening  http://127.0.0.1:3000',
    '  Try it     http://localhost:3000/docs',
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
