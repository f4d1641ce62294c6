import t from 'tap'
import { chooseLocale, isRightToLeft, localeSchema } from '../../../src/features/mail/mail.js'

const offered: [string, ...string[]] = ['en', 'de', 'fr', 'es', 'ar', 'pt-BR', 'zh-Hant-TW']

t.test('the language is the best that is offered, and else the first', async (t) => {
  const cases: [string | null | undefined, string][] = [
    ['de', 'de'],
    ['DE', 'de'],
    ['de-AT', 'de'],
    ['de-Latn-AT-1996', 'de'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'en'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['zh', 'zh-Hant-TW'],
    ['ar-EG', 'ar'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['tlh, fr;q=0.5, es;q=0.7', 'es'],
    ['fr;q=0, es;q=0.1', 'es'],
    ['fr; q=0.2 , es;q=0.3', 'es'],
    ['en;q=0.8, fr', 'fr'],
    ['fr, es', 'fr'],
    ['*', 'en'],
    ['*;q=0.5, fr;q=0.1', 'fr'],
    ['', 'en'],
    [null, 'en'],
    [undefined, 'en'],
    ['fr;q=oops', 'en'],
    ['fr;q=2', 'en'],
    [',;,-,--', 'en'],
    ['x'.repeat(100_000), 'en'],
    [`${'xx,'.repeat(1000)}fr`, 'en'],
    ['__proto__', 'en'],
  ]
  for (const [wish, locale] of cases) t.equal(chooseLocale(wish, offered), locale, String(wish).slice(0, 40))
  t.equal(chooseLocale('en', ['fr', 'de']), 'fr')
})

t.test('scripts from right to left are known', async (t) => {
  for (const locale of ['ar', 'ar-EG', 'he', 'fa-IR', 'ur']) t.ok(isRightToLeft(locale), locale)
  for (const locale of ['en', 'de', 'arn', 'hex', 'fr-AR']) t.notOk(isRightToLeft(locale), locale)
})

t.test('a language is a tag of at most 35 characters', async (t) => {
  for (const tag of ['de', 'pt-BR', 'zh-Hant-TW', 'sl-rozaj-biske-1994']) t.ok(localeSchema.safeParse(tag).success, tag)
  for (const tag of [
    '',
    'd',
    'de_AT',
    'de-',
    '-de',
    'de,fr',
    'de;q=1',
    '../en',
    'x'.repeat(36),
    `de-${'a'.repeat(33)}`,
  ]) {
    t.notOk(localeSchema.safeParse(tag).success, tag)
  }
})
