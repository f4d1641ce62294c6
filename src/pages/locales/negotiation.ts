import { locales, type Locale } from './messages.js'

/** What a request says about languages, the most specific wish first. */
export interface LanguageWishes {
  /** `ui_locales` of the query: language tags, separated by spaces, the preferred first (OpenID Connect Core, section 3.1.2.1). */
  uiLocales: string | undefined
  /** The language that was chosen before. */
  cookie: string | undefined
  acceptLanguage: string | undefined
}

/** The language of a page: the first wish that can be met. */
export function negotiateLocale({ uiLocales, cookie, acceptLanguage }: LanguageWishes, fallback: Locale): Locale {
  const wishes = [...(uiLocales ?? '').split(' '), cookie ?? '', ...preferredTags(acceptLanguage ?? '')]
  for (const wish of wishes) {
    const locale = localeOf(wish)
    if (locale !== null) return locale
  }
  return fallback
}

/** The language of a tag such as `de-AT`; null for one in which there are no pages. */
export function localeOf(tag: string): Locale | null {
  const [language = ''] = tag.trim().toLowerCase().split('-', 1)
  return locales.find((locale) => locale === language) ?? null
}

/** The tags of `Accept-Language` (RFC 9110, section 12.5.4), the preferred first. */
function preferredTags(header: string): string[] {
  return header
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';')
      const quality = /^\s*q=([\d.]+)\s*$/.exec(parameters.join(';'))?.[1]
      return { tag, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}
