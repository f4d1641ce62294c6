import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { createTranslate, languageNames, locales } from '../../src/pages/locales/messages.js'
import { negotiateLocale } from '../../src/pages/locales/negotiation.js'
import { sayTime, sayWait } from '../../src/pages/locales/times.js'
import { endReasons } from '../../src/wire/end-reason.js'

const read = (locale: string) =>
  z
    .record(z.string(), z.string().min(1))
    .parse(JSON.parse(readFileSync(new URL(`../../src/pages/locales/${locale}.json`, import.meta.url), 'utf8')))

const placeholdersOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()

t.test('every language has the same texts, with the same parameters', async (t) => {
  const english = read('en')
  t.strictSame(Object.keys(languageNames), locales)
  for (const locale of locales) {
    const messages = read(locale)
    t.strictSame(Object.keys(messages), Object.keys(english), locale)
    for (const [key, text] of Object.entries(messages)) {
      t.strictSame(placeholdersOf(text), placeholdersOf(english[key] ?? ''), `${locale} ${key}`)
    }
  }
})

t.test('every reason why a session can end has a text', async (t) => {
  const english = read('en')
  for (const reason of endReasons) t.ok(english[`reason.${reason}`], reason)
})

t.test('the language is the first wish that can be met', async (t) => {
  const none = { uiLocales: undefined, cookie: undefined, acceptLanguage: undefined }
  const cases = [
    [{}, 'es'],
    [{ uiLocales: 'fr-CA fr en' }, 'fr'],
    [{ uiLocales: 'tlh DE', cookie: 'ar' }, 'de'],
    [{ uiLocales: 'tlh', cookie: 'ar', acceptLanguage: 'de' }, 'ar'],
    [{ cookie: '../en', acceptLanguage: 'de' }, 'de'],
    [{ acceptLanguage: 'tlh, de-AT;q=0.5, fr;q=0.9' }, 'fr'],
    [{ acceptLanguage: 'ar-EG' }, 'ar'],
    [{ acceptLanguage: 'de;q=0, en;q=0.1' }, 'en'],
    [{ acceptLanguage: '*' }, 'es'],
    [{ acceptLanguage: ';;,q=,' }, 'es'],
  ] as const
  for (const [wishes, expected] of cases) {
    t.equal(negotiateLocale({ ...none, ...wishes }, 'es'), expected, JSON.stringify(wishes))
  }
})

t.test('parameters are filled in as text, and kept apart from text that runs the other way', async (t) => {
  const email = '{email}$&<b>'
  t.equal(createTranslate('en', {})('signin.already_text', { email }), `You are signed in as ${email}.`)
  t.match(createTranslate('ar', {})('signin.already_text', { email }), `\u2068${email}\u2069`)
  t.equal(createTranslate('en', { en: { 'signin.title': 'Come in' } })('signin.title'), 'Come in')
})

t.test('times are said relative to now, and waits are never too short', async (t) => {
  const now = new Date('2026-06-01T12:00:00Z')
  const ago = (seconds: number) => sayTime('en', new Date(now.getTime() - seconds * 1000), now)
  t.equal(ago(20), 'now')
  t.equal(ago(119), '1 minute ago')
  t.equal(ago(2 * 60 * 60), '2 hours ago')
  t.equal(ago(25 * 60 * 60), 'yesterday')
  t.equal(ago(40 * 24 * 60 * 60), 'April 22, 2026')
  t.equal(sayWait('en', 0.2), 'in 1 second')
  t.equal(sayWait('en', 61), 'in 2 minutes')
  t.equal(sayWait('de', 3 * 60 * 60), 'in 3 Stunden')
})
