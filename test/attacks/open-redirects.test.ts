// Links to our sign-in that are to lead a user to a page of the attacker's.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createMailbox } from '../support/mailbox.js'
import { createVisitor } from '../support/page-visitor.js'

const LISTED = 'https://app.example/welcome?from=sallyport'
const settings = { RETURN_TO: `${LISTED},http://localhost:5173/` }

const unlisted = [
  'https://eve.example/',
  'https://app.example/',
  'https://app.example/welcome',
  `${LISTED}&next=https://eve.example`,
  `${LISTED}#`,
  'https://app.example@eve.example/welcome?from=sallyport',
  'https://app.example.eve.example/welcome?from=sallyport',
  'HTTPS://APP.EXAMPLE/welcome?from=sallyport',
  'http://localhost:5173',
  '//eve.example',
  '/\\eve.example',
  '/account/../../eve.example',
  '/account?done=password',
  'javascript:alert(1)',
  ' https://app.example/welcome?from=sallyport',
]

t.test('return_to leads only to the URLs of RETURN_TO, compared as text, and to our own pages', async (t) => {
  const app = await startApp(t, { settings })
  const ada = createVisitor(app)
  for (const returnTo of unlisted) {
    await ada.open('/signin')
    const query = `return_to=${encodeURIComponent(returnTo)}`
    for (const path of ['/signin', '/register', '/signin/password']) {
      const { status, headers } = await ada.open(`${path}?${query}`)
      t.equal(path === '/signin/password' ? 303 : 422, status, `${path} ${returnTo}`)
      if (status === 303) t.match(headers.location, /^\/signin\?/)
    }
    const form = { email: 'ada@example.com', password: PASSWORD, name: '', return_to: returnTo }
    for (const path of ['/signin', '/signin/password', '/register']) {
      const { status, setCookies } = await ada.send(path, form)
      t.equal(status, 422, `${path} ${returnTo}`)
      t.strictSame(setCookies, [])
    }
  }
})

t.test('a sign-in leads to a listed URL, and its form may be redirected there alone', async (t) => {
  const app = await startApp(t, { settings })
  const ada = createVisitor(app)
  await ada.register('ada@example.com')
  const formAction = (headers: Record<string, unknown>) =>
    /form-action ([^;]+)/.exec(String(headers['content-security-policy']))?.[1]
  for (const [returnTo, policy] of [
    [LISTED, "'self' https://app.example"],
    ['http://localhost:5173/', "'self' http://localhost:5173"],
    ['/account/password', "'self'"],
  ] as const) {
    const page = await ada.open(`/signin?prompt=login&return_to=${encodeURIComponent(returnTo)}`)
    t.equal(formAction(page.headers), policy, 'a passkey completes the sign-in from the first step')
    const step = await ada.send('/signin', { email: 'ada@example.com', return_to: returnTo })
    t.equal(formAction(step.headers), policy)
    const form = { email: 'ada@example.com', password: PASSWORD, return_to: returnTo }
    t.match(await ada.send('/signin/password', form), { status: 303, headers: { location: returnTo } })
    const register = await ada.open(`/register?return_to=${encodeURIComponent(returnTo)}`)
    t.equal(formAction(register.headers), policy)
  }
})

t.test(
  'the cookie that leads back from a mail is worth nothing once altered, or once its URL is not listed',
  async (t) => {
    const mailed = { EMAIL_VERIFICATION: 'required' }
    const email = 'ada@example.com'

    async function confirmWith(cookieOf: (kept: string) => string, then: Record<string, string> = settings) {
      const app = await startApp(t, { settings: { ...settings, ...mailed } })
      const ada = createVisitor(app)
      await ada.open('/register')
      await ada.send('/register', { email, name: '', password: PASSWORD, return_to: LISTED })
      const { token } = await createMailbox(app).receive(email)
      const cookie = cookieOf(ada.cookies.get('sallyport_return') ?? '')
      ada.cookies.set('sallyport_return', cookie)
      const other = await startApp(t, { join: true, settings: { ...then, ...mailed } })
      const visitor = createVisitor(other)
      for (const [name, value] of ada.cookies) visitor.cookies.set(name, value)
      const opened = await visitor.open(`/link/verify-email?token=${token}`)
      const { headers } = await visitor.send('/link/verify-email', { token })
      return { location: headers.location, policy: String(opened.headers['content-security-policy']) }
    }

    const encode = (url: string) => Buffer.from(url).toString('base64url')
    t.match(await confirmWith((kept) => kept), { location: LISTED, policy: 'https://app.example' })
    const refused = { location: '/account?done=verified', policy: "form-action 'self'" }
    t.match(await confirmWith((kept) => kept.replace(/\.[\w-]+\./, `.${encode('https://eve.example/')}.`)), refused)
    t.match(await confirmWith((kept) => kept.replace(/\.[\w-]+\./, `.${encode('http://localhost:5173/')}.`)), refused)
    t.match(await confirmWith((kept) => kept.replace(/^[^.]+/, crypto.randomUUID())), refused)
    t.match(await confirmWith(() => 'nonsense'), refused)
    t.match(await confirmWith((kept) => kept, { RETURN_TO: 'http://localhost:5173/' }), refused)
  },
)
