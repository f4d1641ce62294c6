import { chooseLocale } from '../../features/mail/mail.js'
import { isLocale, locales, type Locale } from './messages.js'

/** What a request says about languages, the most specific wish first. */
export interface LanguageWishes {
  /** `ui_locales` of the query: language tags, separated by spaces, the preferred first (OpenID Connect Core, section 3.1.2.1). */
  uiLocales: string | undefined
  /** The language that was chosen before. */
  cookie: string | undefined
  acceptLanguage: string | undefined
}

/** The language of a page: the first wish that can be met, by the rule for mails. */
export function negotiateLocale(wishes: LanguageWishes, fallback: Locale): Locale {
  const { uiLocales = '', cookie = '', acceptLanguage = '' } = wishes
  const wish = [...uiLocales.split(' '), cookie, acceptLanguage].join(',')
  const locale = chooseLocale(wish, [fallback, ...locales])
  return isLocale(locale) ? locale : fallback
}
