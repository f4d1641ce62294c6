import type { VNode } from 'preact'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { forAnyone } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'

export interface HomeOptions {
  /** Whether the page tells newcomers where to go; else it leads to the account. */
  isDevelopment: boolean
  /** Whether the API's document is served. */
  docs: boolean
  /** Whether there is a development inbox. */
  inbox: boolean
}

/** `/`, and the address under which password managers look for the page to change a password. */
export function mountHome(scope: AppInstance, { rendering }: PageTools, options: HomeOptions): void {
  scope.get('/', forAnyone, (_request, reply) =>
    options.isDevelopment ? rendering.send(reply, <HomePage {...options} />) : rendering.redirect(reply, '/account'),
  )
  // https://w3c.github.io/webappsec-change-password-url/
  scope.get('/.well-known/change-password', forAnyone, (_request, reply) =>
    rendering.redirect(reply, '/account/password'),
  )
}

function HomePage({ docs, inbox }: HomeOptions): VNode {
  const { t, appName, href } = usePage()
  const places = [
    { path: '/account', title: t('account.title'), text: t('home.account') },
    ...(docs ? [{ path: '/docs', title: t('home.docs_title'), text: t('home.docs') }] : []),
    ...(inbox ? [{ path: '/dev/inbox', title: t('inbox.title'), text: t('inbox.text') }] : []),
    { path: '/problems', title: t('home.problems_title'), text: t('home.problems') },
  ]
  return (
    <Layout title={t('home.title', { app: appName })} isWide>
      <ul class="places">
        {places.map(({ path, title, text }) => (
          <li key={path} class="card">
            <h2>
              <a href={href(path)}>{title}</a>
            </h2>
            <p>{text}</p>
          </li>
        ))}
        <li class="card">
          <h2>{t('home.example_title')}</h2>
          <p>{t('home.example')}</p>
        </li>
      </ul>
      <p class="hint">{t('home.text')}</p>
    </Layout>
  )
}
