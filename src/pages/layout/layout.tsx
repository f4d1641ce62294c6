import type { ComponentChildren, VNode } from 'preact'
import { directionOf, languageNames } from '../locales/messages.js'
import type { StaticName } from '../static/static-files.js'
import { usePage } from './page-context.js'

interface LayoutProps {
  title: string
  /** Whether the page shows a form with errors, which its title says first. */
  hasErrors?: boolean
  /** Wide pages have sections; the others are one card. */
  isWide?: boolean
  /** Where the browser goes on at once, without script. */
  goesTo?: string
  /** What the page has besides. */
  scripts?: readonly StaticName[]
  children: ComponentChildren
}

/** The frame of every page. */
export function Layout(props: LayoutProps): VNode {
  const { title, hasErrors = false, isWide = false, goesTo, scripts = [], children } = props
  const { locale, t, asset, href, appName } = usePage()
  return (
    <html lang={locale} dir={directionOf(locale)}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        {goesTo !== undefined && <meta http-equiv="refresh" content={`0;url=${goesTo}`} />}
        <title>{`${hasErrors ? t('site.error_title', { title }) : title} – ${appName}`}</title>
        <link rel="stylesheet" href={asset('theme.css')} />
        <link rel="icon" href={asset('logo')} />
        <script type="module" src={asset('show-password.js')}></script>
        {scripts.map((name) => (
          <script key={name} type="module" src={asset(name)}></script>
        ))}
      </head>
      <body>
        <header class="site">
          <a href={href('/account')}>
            <img src={asset('logo')} alt="" width="40" height="40" />
            <span>{appName}</span>
          </a>
        </header>
        <main class={isWide ? 'wide' : 'card'}>
          <h1>{title}</h1>
          {children}
        </main>
        <Footer />
      </body>
    </html>
  )
}

function Footer(): VNode {
  const { t, languages, supportUrl } = usePage()
  return (
    <footer class="site">
      {languages.length > 0 && <Languages />}
      {supportUrl !== null && (
        <p>
          <a href={supportUrl}>{t('site.support')}</a>
        </p>
      )}
    </footer>
  )
}

function Languages(): VNode {
  const { locale, t, languages } = usePage()
  return (
    <nav aria-label={t('site.languages')}>
      <ul>
        {languages.map((language) => (
          <li key={language.locale}>
            <a
              href={language.href}
              lang={language.locale}
              hreflang={language.locale}
              aria-current={language.locale === locale ? 'true' : undefined}
            >
              {languageNames[language.locale]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}
