import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Locale, Translate } from '../locales/messages.js'
import type { StaticName } from '../static/static-files.js'

/** What the parts of a page need of the request that the page answers. */
export interface PageContext {
  locale: Locale
  t: Translate
  /** The address of one of our paths, below the path of PUBLIC_URL. */
  href(path: string): string
  asset(name: StaticName): string
  /** The token of a form. */
  formToken(): string
  appName: string
  supportUrl: string | null
  /** PASSWORD_MIN_LENGTH. */
  minLength: number
  /** The same page in other languages. */
  languages: readonly { locale: Locale; href: string }[]
  now: Date
}

const Context = createContext<PageContext | null>(null)

export const PageProvider = Context.Provider

export function usePage(): PageContext {
  const page = useContext(Context)
  if (page === null) throw new Error('A part of a page is rendered outside a page.')
  return page
}
