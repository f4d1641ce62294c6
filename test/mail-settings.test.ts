import { inspect } from 'node:util'
import t from 'tap'
import { ConfigError, readConfig } from '../src/config.js'
import { SECRET_KEY } from './support/app.js'

const MAIL_FROM = 'Example <no-reply@example.com>'
const MAIL_HOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
const production = { NODE_ENV: 'production', SECRET_KEY, PUBLIC_URL: 'https://auth.example.com' }

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

t.test('mail goes to a server, to a hook or to the development inbox, or is off', async (t) => {
  const transportOf = (environment: NodeJS.ProcessEnv) => readConfig(environment).mail.transport
  const verificationOf = (environment: NodeJS.ProcessEnv) => readConfig(environment).emailVerification
  const smtp = { ...production, MAIL_URL: 'smtps://mail.example.com', MAIL_FROM }
  const hook = { ...production, MAIL_URL: 'https://example.com/hook', MAIL_FROM, MAIL_HOOK_SECRET }
  const expected = [
    [{}, 'inbox', 'later'],
    [{ NODE_ENV: 'test' }, 'inbox', 'later'],
    [production, 'off', 'off'],
    [smtp, 'smtp', 'required'],
    [hook, 'hook', 'required'],
    [{ ...smtp, NODE_ENV: 'development' }, 'smtp', 'required'],
  ] as const
  for (const [environment, transport, verification] of expected) {
    t.equal(transportOf(environment), transport)
    t.equal(verificationOf(environment), verification)
  }
  t.equal(verificationOf({ ...smtp, EMAIL_VERIFICATION: 'off' }), 'off')
})

t.test('MAIL_URL names a server with TLS; without TLS it is on this machine', async (t) => {
  const servers = {
    'smtps://mail.example.com': { host: 'mail.example.com', port: 465, tls: 'implicit', user: null },
    'smtps://mail.example.com:2465/': { port: 2465, tls: 'implicit' },
    'smtp://mail.example.com': { port: 587, tls: 'starttls' },
    'smtp://mail.example.com:25': { port: 25, tls: 'starttls' },
    'smtp://ada%40example.com:s3cr%2Ft@mail.example.com': { user: 'ada@example.com' },
    'smtp://localhost:2525?tls=off': { port: 2525, tls: 'off' },
    'smtp://127.0.0.1:2525?tls=off': { tls: 'off' },
    'smtp://[::1]:2525?tls=off': { host: '::1', tls: 'off' },
  }
  for (const [MAIL_URL, expected] of Object.entries(servers)) {
    t.match(readConfig({ ...production, MAIL_URL, MAIL_FROM }).mail.smtp, expected, MAIL_URL)
  }
  const refused = [
    'mail.example.com',
    'smtp:mail.example.com',
    'smtp://',
    'ftp://mail.example.com',
    'smtp://mail.example.com?tls=off',
    'smtp://localhost.example.com?tls=off',
    'smtp://mail.example.com?tls=on',
    'smtps://localhost?tls=off',
    'smtp://mail.example.com/path',
    'smtp://mail.example.com#x',
    'smtp://:password@mail.example.com',
    'smtp://user:%E0%A4%A@mail.example.com',
    'smtp://mail example.com',
    'smtp://mail.example.com:99999',
    'http://example.com/hook',
    'https://user:password@example.com/hook',
    'https://example.com/hook#x',
  ]
  for (const MAIL_URL of refused) {
    t.match(faultsOf({ ...production, MAIL_URL, MAIL_FROM, MAIL_HOOK_SECRET }), [/^MAIL_URL must be smtps:/], MAIL_URL)
  }
})

t.test('MAIL_FROM and MAIL_REPLY_TO are one address, with or without a name', async (t) => {
  const read = (MAIL_FROM: string) => readConfig({ MAIL_FROM }).mail.from
  t.strictSame(read('no-reply@example.com'), { name: 'Sallyport', address: 'no-reply@example.com' })
  t.strictSame(read('Example Inc. <a@b.example>'), { name: 'Example Inc.', address: 'a@b.example' })
  t.strictSame(read('"Example, Inc." <a@b.example>'), { name: 'Example, Inc.', address: 'a@b.example' })
  t.strictSame(read('<a@b.example>'), { name: 'Sallyport', address: 'a@b.example' })
  for (const wrong of [
    'example.com',
    'a@b.example, c@d.example',
    'A, B <a@b.example>',
    'A <a@b.example>, B <b@b.example>',
    'A <a@b.example> x',
    'A\r\nBcc: c@d.example <a@b.example>',
    'A\u202e <a@b.example>',
    'a b@c.example',
    'a@b@c.example',
    'ä@b.example',
    `${'a'.repeat(65)}@b.example`,
  ]) {
    t.match(faultsOf({ MAIL_FROM: wrong, MAIL_REPLY_TO: wrong }), [/^MAIL_FROM must/, /^MAIL_REPLY_TO must/], wrong)
  }
})

t.test('other settings of mail are checked by themselves', async (t) => {
  const wrong: Record<string, string[]> = {
    MAIL_LOCALES: ['en,', 'english language', 'de_AT', 'x'.repeat(40)],
    MAIL_DKIM: ['example.com', 'example.com:mail', 'example.com:mail:', ':mail:/key'],
    MAIL_OAUTH: ['a:b:c', 'a:b:c:http://example.com', 'a:b:c:https://example.com/?x', 'a::c:https://example.com'],
    MAIL_HOOK_SECRET: [
      'secret',
      'whsec_',
      `whsec_${Buffer.alloc(23).toString('base64')}`,
      `whsec_${Buffer.alloc(65).toString('base64')}`,
      `whsec_${'*'.repeat(40)}`,
    ],
    LINK_URL: ['http://app.example.com', 'https://app.example.com/?x', 'myapp://link', 'app.example.com'],
    LINK_STYLE: ['path', 'Query'],
    APP_NAME: ['x'.repeat(65), 'two\nlines', 'A\u202eB'],
    SUPPORT_URL: ['help', 'ftp://example.com', 'mailto:', 'mailto:a@b.example,c@d.example', 'javascript:alert(1)'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) t.match(faultsOf({ [name]: value }), [new RegExp(`^${name} `)], `${name}=${value}`)
  }
  t.strictSame(readConfig({ LINK_URL: 'http://localhost:5173/link' }).links.url, 'http://localhost:5173/link')
  t.strictSame(readConfig({ PUBLIC_URL: 'https://example.com/auth' }).links.url, 'https://example.com/auth/link')
})

t.test('what mail needs is told before the start', async (t) => {
  const server = { ...production, MAIL_URL: 'smtps://mail.example.com', MAIL_FROM }
  const account = { ...server, MAIL_URL: 'smtps://ada@mail.example.com' }
  const hook = { ...server, MAIL_URL: 'https://example.com/hook' }
  const oauth = { MAIL_OAUTH: 'id:secret:1//refresh:https://oauth2.example.com/token' }
  const dkim = { MAIL_DKIM: 'example.com:mail:/key.pem' }
  const conflicts: [NodeJS.ProcessEnv, RegExp[]][] = [
    [server, []],
    [{ ...server, MAIL_FROM: '' }, [/^MAIL_FROM is required with MAIL_URL/]],
    [hook, [/^MAIL_HOOK_SECRET is required with a hook/]],
    [{ ...hook, MAIL_HOOK_SECRET }, []],
    [account, [/^MAIL_URL names a user without a password/]],
    [{ ...account, ...oauth }, []],
    [{ ...server, ...oauth }, [/^MAIL_OAUTH needs an account/]],
    [{ ...server, ...oauth, MAIL_URL: 'smtps://ada:pass@mail.example.com' }, [/^MAIL_OAUTH is set although/]],
    [{ ...server, ...dkim }, []],
    [{ ...hook, MAIL_HOOK_SECRET, ...dkim }, [/^MAIL_DKIM signs mails for an SMTP server/]],
    [{ ...production, EMAIL_VERIFICATION: 'required' }, [/^EMAIL_VERIFICATION needs mail/]],
    [{ ...production, EMAIL_VERIFICATION: 'off' }, []],
    [{ ...production, SIGN_IN_METHODS: 'password,otp' }, [/^SIGN_IN_METHODS lists otp/]],
    [{ EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp' }, []],
    [{ ...server, MAIL_URL: 'nonsense', MAIL_FROM: '' }, [/^MAIL_URL must/]],
  ]
  for (const [environment, expected] of conflicts) t.match(faultsOf(environment), expected)
  for (const [environment, expected] of conflicts) t.equal(faultsOf(environment).length, expected.length)
})

t.test('OPS-02: no secret of mail is printed', async (t) => {
  const smtp = readConfig({ ...production, MAIL_URL: 'smtps://ada:hunter2@mail.example.com', MAIL_FROM })
  const oauth = readConfig({
    ...production,
    ...{ MAIL_URL: 'smtps://ada@mail.example.com', MAIL_FROM },
    MAIL_OAUTH: 'id:hunter2:hunter3:https://oauth2.example.com/token',
  })
  const hook = readConfig({ ...production, MAIL_URL: 'https://example.com/?k=hunter2', MAIL_FROM, MAIL_HOOK_SECRET })
  for (const config of [smtp, oauth, hook]) {
    const printed = `${JSON.stringify(config)}${inspect(config, { depth: 10 })}`
    t.notMatch(printed, /hunter/)
    t.notOk(printed.includes(MAIL_HOOK_SECRET.slice(6)))
  }
  t.notMatch(faultsOf({ MAIL_URL: 'smtp://ada:hunter2@mail.example.com?tls=off' }).join(), /hunter/)
})
