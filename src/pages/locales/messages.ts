import ar from './ar.json' with { type: 'json' }
import de from './de.json' with { type: 'json' }
import en from './en.json' with { type: 'json' }
import es from './es.json' with { type: 'json' }
import fr from './fr.json' with { type: 'json' }

/** The texts of all pages in one language, by key. */
export type Messages = typeof en
export type MessageKey = keyof Messages

/** The languages of the pages, each in its own name. */
export const languageNames = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', ar: 'العربية' } as const

export type Locale = keyof typeof languageNames

export const locales: readonly Locale[] = ['en', 'de', 'fr', 'es', 'ar']

export function isLocale(tag: string): tag is Locale {
  return Object.hasOwn(languageNames, tag)
}

/** Texts of THEME_DIR, which replace the shipped ones. */
export type CustomMessages = Partial<Record<Locale, Partial<Messages>>>

const shipped: Record<Locale, Messages> = { en, de, fr, es, ar }

/** The text of a key, with its parameters in the places of their names in braces. */
export type Translate = (key: MessageKey, parameters?: Readonly<Record<string, string | number>>) => string

export function createTranslate(locale: Locale, custom: CustomMessages): Translate {
  const messages = { ...shipped[locale], ...custom[locale] }
  return (key, parameters = {}) =>
    messages[key].replace(/\{(\w+)\}/g, (placeholder, name: string) =>
      Object.hasOwn(parameters, name) ? isolate(String(parameters[name]), locale) : placeholder,
    )
}

export function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key)
}

/** A language in its own words, such as those of mails that an operator's templates add. */
export function nameOfLanguage(locale: string): string {
  return isLocale(locale)
    ? languageNames[locale]
    : (new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale)
}

export function directionOf(locale: Locale): 'ltr' | 'rtl' {
  return locale === 'ar' ? 'rtl' : 'ltr'
}

/** Keeps a left-to-right value, such as an address, from mixing with the text around it. */
function isolate(value: string, locale: Locale): string {
  return directionOf(locale) === 'rtl' ? `\u2068${value}\u2069` : value
}
