import type { VNode } from 'preact'
import type { OwnIdentities } from '../../features/account/account.js'
import { BackToAccount } from '../account/section.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Alert, Button, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { ShownProvider } from '../social/provider-buttons.js'

export type OwnIdentity = Awaited<ReturnType<OwnIdentities['list']>>[number]

/** The page on which an account at a provider is linked. */
export function linkPathOf(providerId: string): string {
  return `/account/identities/link/${encodeURIComponent(providerId)}`
}

interface LinkPageProps {
  provider: ShownProvider
  email: string
}

/** Before the browser goes to the provider, the user sees to which account the other one will be linked. */
export function LinkPage({ provider: { id, name }, email }: LinkPageProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('identities.link', { provider: name })}>
      <p>{t('identities.link_text', { provider: name, email })}</p>
      <Form action={linkPathOf(id)}>
        <Button>{t('social.continue_with', { provider: name })}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

/** Leads the browser to a provider: after a form, the policy of its page would forbid a redirect to another site. */
export function LeavePage({ name, target }: { name: string; target: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('social.leave_title', { provider: name })} goesTo={target}>
      <p>{t('social.leave_text', { provider: name })}</p>
      <a class="button primary" href={target}>
        {t('common.continue')}
      </a>
    </Layout>
  )
}

interface UnlinkPageProps {
  identity: OwnIdentity
  /** Whether the user signed in with it on this device, which is signed out. */
  isHere: boolean
  errors?: FormErrors
}

export function UnlinkPage({ identity, isHere, errors = noErrors }: UnlinkPageProps): VNode {
  const { t } = usePage()
  const { id, providerName: provider, email, name } = identity
  const account = email ?? name
  return (
    <Layout title={t('identities.unlink_title', { provider })} hasErrors={errors !== noErrors}>
      {account !== null && (
        <p>
          <bdi>{account}</bdi>
        </p>
      )}
      <p>
        {t('identities.unlink_text')} {isHere && t('identities.unlink_here')}
      </p>
      {errors.form !== null && <Alert>{errors.form}</Alert>}
      <Form action={`/account/identities/${id}/unlink`}>
        <Button kind="danger">{t('identities.unlink')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}
