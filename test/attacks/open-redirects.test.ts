// Links to our sign-in that are to lead a user to a page of the attacker's.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
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
    t.equal(formAction(page.headers), "'self'", 'the first step leads to the second')
    const step = await ada.send('/signin', { email: 'ada@example.com', return_to: returnTo })
    t.equal(formAction(step.headers), policy)
    const form = { email: 'ada@example.com', password: PASSWORD, return_to: returnTo }
    t.match(await ada.send('/signin/password', form), { status: 303, headers: { location: returnTo } })
    const register = await ada.open(`/register?return_to=${encodeURIComponent(returnTo)}`)
    t.equal(formAction(register.headers), policy)
  }
})
