import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createRenderer, noticeMails, shippedLocales, TemplateError } from '../../../src/features/mail/mail.js'
import { sampleMails } from '../../../src/features/mail/samples.js'

const shipped = fileURLToPath(new URL('../../../templates/mail', import.meta.url))
const app = { name: 'Example & Söhne', supportUrl: 'https://example.com/help' }
const locales: [string, ...string[]] = ['en', ...shippedLocales.filter((locale) => locale !== 'en')]

const noticeTemplates: readonly string[] = noticeMails

const renderer = await createRenderer({ templates: null, locales, app })

/** A folder of the operator's templates. */
function folderOf(test: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-templates-'))
  test.teardown(async () => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

t.test('every template is there in every language, in its three parts', async (t) => {
  const templates = sampleMails('en', { bare: true }).map(({ composed }) => composed.template)
  const expected = locales.flatMap((locale) => ['html', 'subject', 'txt'].map((part) => `${locale}.${part}`))
  for (const template of templates) {
    t.strictSame(readdirSync(join(shipped, template)).sort(), expected.toSorted(), template)
  }
  const folders = readdirSync(shipped).filter((name) => name !== 'layout.html' && name !== 'shared')
  t.strictSame(folders.sort(), templates.toSorted())
})

t.test('every template in every language renders, with all that a mail may have and with as little', async (t) => {
  const subjects = new Map<string, Set<string>>()
  for (const locale of locales) {
    const samples = [true, false].flatMap((bare) =>
      sampleMails(locale, { bare }).map((sample) => ({ ...sample, bare })),
    )
    for (const { composed, mail, bare } of samples) {
      const { subject, text, html, kind } = renderer.render(composed, mail)
      const name = `${kind} ${locale}`
      if (bare) subjects.set(kind, (subjects.get(kind) ?? new Set()).add(subject))
      t.match(subject, /Example & Söhne/, name)
      t.notMatch(subject, /1234|4711|Ada|ada@/, `${name}: nothing of a user or a code is in the subject`)
      for (const part of [subject, text, html]) t.notMatch(part, /\{\{|\{%|undefined|null|\[object/, name)
      t.match(html, `<html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">`, name)
      t.equal(html.match(/<table/g)?.length, 1, `${name}: one table`)
      t.notMatch(html, /<img|<script|src=|url\(/i, `${name}: nothing is loaded`)
      t.match(html, 'Example &amp; Söhne')
      t.match(text, composed.to)
      t.notMatch(text, /\n\n\n|[ \t]\n/, `${name}: no gaps`)
    }
  }
  for (const [kind, ofKind] of subjects) t.equal(ofKind.size, locales.length, `${kind} is translated`)
})

t.test('a mail shows its code, its links and the digits, and who asked', async (t) => {
  for (const locale of locales) {
    for (const { composed, mail } of sampleMails(locale, { bare: false })) {
      const { text, html, kind } = renderer.render(composed, mail)
      const name = `${kind} ${locale}`
      for (const link of [composed.link, composed.notMeLink]) {
        if (link === undefined) continue
        t.match(html, `href="${link}"`, name)
        t.ok(text.split('\n').includes(link), `${name}: on a line of its own`)
      }
      if (composed.code !== undefined) {
        t.match(html, /<bdi dir="ltr">1234[ \u00a0]5678<\/bdi>/, name)
        t.ok(
          text.split('\n').some((line) => /^1234[ \u00a0]5678$/.test(line)),
          `${name}: on a line of its own`,
        )
      }
      if (composed.confirm !== undefined) t.ok(text.split('\n').includes('4711'), `${name}: on a line of its own`)
      if (kind === 'invitation') continue
      for (const part of [text, html]) {
        t.match(part, 'Firefox on Windows', name)
        t.match(part, '192.0.2.7', name)
        t.match(part, /2026.*09:30 UTC/, name)
      }
    }
  }
})

t.test('every mail with a code warns of those who ask for it', async (t) => {
  const withCode = sampleMails('en', { bare: false }).filter(({ composed }) => composed.code !== undefined)
  t.equal(withCode.length, 5)
  for (const { composed, mail } of withCode) {
    const { text, html } = renderer.render(composed, mail)
    for (const part of [text, html])
      t.match(part, 'Anyone who asks you for this code is trying to get into your account.')
  }
})

t.test('a notice without a link tells how to react all the same', async (t) => {
  for (const { composed, mail } of sampleMails('en', { bare: true })) {
    if (noticeTemplates.includes(composed.template)) {
      t.match(renderer.render(composed, mail).text, 'If this was not you, set a new password at once.')
    }
  }
})

t.test('a notice of factors tells which one it was, and how many codes are left', async (t) => {
  for (const locale of locales) {
    const rendered = (template: string, params: Record<string, string>) => {
      const sample = sampleMails(locale, { bare: false }).find(({ composed }) => composed.template === template)
      if (!sample) throw new Error('There is no sample.')
      return renderer.render({ ...sample.composed, params }, sample.mail)
    }
    for (const template of ['factor_added', 'factor_removed']) {
      const passkey = rendered(template, { factor: 'passkey', factor_name: 'My <b>phone</b>' })
      const totp = rendered(template, { factor: 'totp' })
      t.not(passkey.subject, totp.subject, `${template} ${locale}`)
      t.match(passkey.text, 'My <b>phone</b>')
      t.match(passkey.html, '<bdi>My &lt;b&gt;phone&lt;/b&gt;</bdi>')
      t.notMatch(totp.text, 'phone')
    }
    t.match(rendered('recovery_code_used', { left: '0' }).text, /: 0$/m)
  }
})

t.test('a notice of a reset names its time and stops it, or tells that it is done', async (t) => {
  for (const locale of locales) {
    const sample = sampleMails(locale, { bare: false }).find(({ composed }) => composed.template === 'factors_reset')
    if (!sample) throw new Error('There is no sample.')
    const { link, ...composed } = sample.composed
    const before = renderer.render(sample.composed, sample.mail)
    t.match(before.text, /2026.*09:30 UTC/)
    t.ok(before.text.split('\n').includes(String(link)), locale)
    const notMeLink = 'https://auth.example.com/link/not-me?token=spl_done'
    const after = renderer.render({ ...composed, notMeLink, params: {} }, sample.mail)
    t.not(after.subject, before.subject, locale)
    t.ok(after.text.split('\n').includes(notMeLink), locale)
  }
})

t.test('times and durations are in the words of the language, with the digits of codes', async (t) => {
  // What stands between date and time differs between versions of Node.
  const expected = {
    en: [/December 1, 2026\b.* 09:30 UTC/, /10 minutes/],
    de: [/1\. Dezember 2026\b.* 09:30 UTC/, /10 Minuten/],
    fr: [/1 décembre 2026\b.* 09:30 UTC/, /10 minutes/],
    es: [/1 de diciembre de 2026\b.* 09:30 UTC/, /10 minutos/],
    ar: [/1 ديسمبر 2026.* 09:30 UTC/, /10 دقائق/],
  }
  const durations = [
    [119, '2 minutes'],
    [600, '10 minutes'],
    [3600, '60 minutes'],
    [86_400, '24 hours'],
    [86_399, '24 hours'],
    [604_800, '7 days'],
  ] as const
  const otp = (locale: string, validSeconds: number) => {
    const sample = sampleMails(locale, { bare: false }).find(({ composed }) => composed.template === 'otp')
    if (!sample) throw new Error('There is no sample.')
    return renderer.render({ ...sample.composed, validSeconds }, sample.mail).text
  }
  for (const [locale, texts] of Object.entries(expected)) {
    for (const text of texts) t.match(otp(locale, 600), text, `${locale}: ${String(text)}`)
  }
  for (const [seconds, text] of durations) t.match(otp('en', seconds), `are valid for ${text}.`)
})

t.test('a language that is not offered falls back, by prefix and by header', async (t) => {
  const composed = { template: 'email_in_use', to: 'ada@example.com', params: {} } as const
  const mail = { id: 'id', createdAt: new Date() }
  for (const [wish, locale] of [
    ['de-CH', 'de'],
    ['tlh, fr;q=0.3, es;q=0.8', 'es'],
    ['tlh', 'en'],
    ['', 'en'],
  ] as const) {
    t.equal(renderer.render({ ...composed, locale: wish }, mail).locale, locale, wish)
  }
})

t.test('MAIL_TEMPLATES takes the place of shipped templates, file by file', async (t) => {
  const templates = folderOf(t, {
    'otp/en.subject': 'Your {{ app_name }} code\n',
    'shared/button.html': '<p><a class="ours" href="{{ link }}">{{ label }}</a></p>',
    'register/fr.subject': 'not offered',
    'shared/ours.txt': 'Yours',
    'otp/de.txt': "{% include 'shared/ours.txt' %}",
    '.DS_Store': '',
  })
  const { preview } = await createRenderer({ templates, locales: ['en', 'de'], app })
  const mails = preview()
  t.equal(mails.length, 46)
  const otp = mails.find(({ kind, locale }) => kind === 'otp' && locale === 'en')
  t.equal(otp?.subject, 'Your Example & Söhne code')
  t.match(otp?.html, /class="ours" href="https:/)
  t.match(otp?.text, 'To sign in to Example & Söhne')
})

t.test('all faults of templates are reported at the start, with their files', async (t) => {
  const templates = folderOf(t, {
    'otp/en.txt': '{% if code %}unclosed',
    'otp/en.subject': '{{ codde }}',
    'invitation/de.html': '{{ link | shout }}',
    'register/en.subject': '{{ app_name.constructor.name }}',
  })
  const failure = async (settings: { templates: string | null; locales: [string, ...string[]] }) => {
    const error: unknown = await createRenderer({ ...settings, app }).catch((thrown: unknown) => thrown)
    return error instanceof TemplateError ? error.message.split('\n') : []
  }
  const messages = (await failure({ templates, locales: ['en', 'de'] })).join('\n')
  for (const fault of [
    /otp\/en\.subject .*undefined variable: codde/,
    /register\/en\.subject .*undefined variable/,
    /otp\/en\.txt .*not closed/,
    /invitation\/de\.html .*undefined filter: shout/,
  ]) {
    t.match(messages, fault)
  }
  t.match((await failure({ templates: null, locales: ['en', 'pt-BR'] })).join('\n'), /otp\/pt-BR\.subject/)
  t.match(await failure({ templates: '/does/not/exist', locales: ['en'] }), [/the folder .* is missing/])
})

t.test('a file that no mail uses is reported at the start, with its name', async (t) => {
  const templates = folderOf(t, {
    'otp/en.subjekt': 'A',
    'opt/en.txt': 'B',
    'otp/ne.txt': 'C',
    'shared/buton.html': 'D',
    'shared/pt-BR/footre.txt': 'E',
  })
  const error: unknown = await createRenderer({ templates, locales: ['en'], app }).catch((thrown: unknown) => thrown)
  const unused = String(error instanceof TemplateError && error.message).matchAll(/template (\S+) is not used/g)
  const expected = ['opt/en.txt', 'otp/en.subjekt', 'otp/ne.txt', 'shared/buton.html', 'shared/pt-BR/footre.txt']
  t.strictSame([...unused].map(([, file]) => file).sort(), expected)
})

t.test('a template cannot read files outside its folders', async (t) => {
  for (const path of ['../../package.json', '/etc/hostname']) {
    const templates = folderOf(t, { 'otp/en.subject': `{% include '${path}' %}` })
    await t.rejects(createRenderer({ templates, locales: ['en'], app }), TemplateError)
  }
})

t.test('templates get nothing but values', async (t) => {
  const templates = folderOf(t, { 'otp/en.subject': `{{ 'x' | constructor }}{{ __proto__ }}` })
  await t.rejects(createRenderer({ templates, locales: ['en'], app }), TemplateError)
})
