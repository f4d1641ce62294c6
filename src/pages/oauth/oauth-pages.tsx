import type { VNode } from 'preact'
import type { ConsentRequest, ProviderPage } from '../../features/oauth/oauth.js'
import { Button, ButtonLink, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { textOfScope } from './scope-text.js'

/**
 * Leads the browser back to a client. A redirect would not do: Chromium applies the `form-action` of the page whose form was
 * sent to all redirects that follow, and a sign-in does not know where it ends.
 */
export function ContinuePage({ clientName, target }: { clientName: string; target: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('oauth.continue_title', { client: clientName })} goesTo={target}>
      <p>{t('oauth.continue_text', { client: clientName })}</p>
      <a class="button primary" href={target}>
        {t('common.continue')}
      </a>
    </Layout>
  )
}

/** What the client asks for, and the buttons to grant or to refuse it. */
export function ConsentPage(props: ConsentRequest & { action: string; email: string }): VNode {
  const { clientName, documentHost, returnsTo, scopes, resources, action, email } = props
  const { t } = usePage()
  return (
    <Layout title={t('oauth.consent_title', { client: clientName })}>
      <RequestedAccess client={clientName} host={documentHost ?? returnsTo} scopes={scopes} resources={resources} />
      {documentHost !== null && returnsTo !== null && returnsTo !== documentHost && (
        // Any program on this machine can use the document of another.
        <p class="hint">{t('oauth.consent_local', { host: returnsTo })}</p>
      )}
      <p class="hint">{t('signin.already_text', { email })}</p>
      <Form action={action} hidden={{ decision: 'allow' }}>
        <Button>{t('oauth.allow')}</Button>
      </Form>
      <Form action={action} hidden={{ decision: 'refuse' }}>
        <Button kind="secondary">{t('oauth.refuse')}</Button>
      </Form>
    </Layout>
  )
}

/** What an application would like to do, in words. */
export function RequestedAccess(props: {
  client: string
  host: string | null
  scopes: readonly string[]
  resources: ConsentRequest['resources']
}): VNode {
  const { client, host, scopes, resources } = props
  const { t } = usePage()
  return (
    <>
      <p>{host === null ? t('oauth.access_text', { client }) : t('oauth.consent_text', { client, host })}</p>
      <ul>
        {scopes.map((scope) => (
          <li key={scope}>{textOfScope(scope, t)}</li>
        ))}
        {resources.map(({ name, scopes: ofResource }) => (
          <li key={name}>{t('oauth.consent_resource', { resource: name, scopes: ofResource.join(', ') })}</li>
        ))}
      </ul>
    </>
  )
}

/** An interaction that has expired, or belongs to another browser. */
export function InteractionOverPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('oauth.over_title')}>
      <p>{t('oauth.over_text')}</p>
      <ButtonLink path="/account" kind="secondary">
        {t('problem.account')}
      </ButtonLink>
    </Layout>
  )
}

/** A request of a client that cannot be answered, and cannot be sent back to it either. */
export function ProviderErrorPage({ page }: { page: Extract<ProviderPage, { kind: 'error' }> }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('oauth.error_title')}>
      <p>{t('oauth.error_text')}</p>
      <p class="hint">{[page.error, page.description ?? []].flat().join(': ')}</p>
    </Layout>
  )
}

/** Asks a user whom a client has signed out whether to sign out here as well. */
export function SignOutPage({ page }: { page: Extract<ProviderPage, { kind: 'sign_out' }> }): VNode {
  const { t } = usePage()
  const { clientName, xsrf } = page
  return (
    <Layout title={t('oauth.sign_out_title')}>
      <p>{clientName === null ? t('oauth.sign_out_text') : t('oauth.sign_out_client', { client: clientName })}</p>
      <Form action="/oauth/logout/confirm" hidden={{ xsrf, logout: 'yes' }}>
        <Button>{t('oauth.sign_out')}</Button>
      </Form>
      <ButtonLink path="/account" kind="secondary">
        {t('oauth.stay')}
      </ButtonLink>
    </Layout>
  )
}
