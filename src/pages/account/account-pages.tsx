import type { VNode } from 'preact'
import type { OwnApp } from '../../features/account/account.js'
import type { Session } from '../../features/families/families.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, ButtonLink, Form, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { IdentityList, type IdentityListProps } from '../identities/identity-list.js'
import { FactorList, type OwnFactor } from '../factors/factor-list.js'
import { PasskeySignals, type SignalCalls } from '../factors/passkey-signals.js'
import { Apps } from './apps.js'
import { Devices, EndedSessions } from './devices.js'
import { AddressOfPassword, CurrentPassword } from './password-fields.js'
import { PasswordSection } from './password.js'
import { Profile, type ProfileProps } from './profile.js'
import { SocialNewsAlert, type SocialNews } from '../social/social-news.js'
import { BackToAccount, Section } from './section.js'

/** What a page says has just been done, by the value of `done` in its address. */
export const doneMessages: Readonly<Record<string, MessageKey>> = {
  name: 'account.name_saved',
  password: 'account.password_changed',
  password_set: 'account.password_set',
  password_removed: 'account.password_removed',
  verified: 'account.verified_now',
  email_cancelled: 'account.email_cancelled',
  language: 'account.language_saved',
  device: 'account.device_ended',
  device_name: 'account.device_renamed',
  others: 'account.others_ended',
  app: 'account.app_ended',
  identity_linked: 'identities.linked_done',
  identity_unlinked: 'identities.unlinked_done',
  factor_added: 'factors.added',
  factor_renamed: 'factors.renamed',
  factor_removed: 'factors.removed',
}

interface AccountPageProps extends ProfileProps, IdentityListProps {
  sessions: readonly Session[]
  currentId: string
  /** Asks for more sessions; null where there are none. */
  nextCursor: string | null
  factors: readonly OwnFactor[]
  recoveryCodesLeft: number
  /** What the browser is told of the passkeys; null where there is nothing to tell. */
  signals: SignalCalls | null
  /** MFA_TRUST_DAYS. */
  canTrust: boolean
  ended: readonly Session[]
  apps: readonly OwnApp[]
  done: MessageKey | null
  /** What became of a link of an account at another provider. */
  socialNews: SocialNews | null
}

export function AccountPage(props: AccountPageProps): VNode {
  const { user, factors, signals, sessions, currentId, nextCursor, ended, apps, done, errors = noErrors } = props
  const { identities, socialNews } = props
  const { t } = usePage()
  const canRemovePassword = factors.some(signsIn) || identities.some(({ isUsable }) => isUsable)
  return (
    <Layout title={t('account.title')} hasErrors={errors !== noErrors} scripts={['passkey-signals.js']} isWide>
      <PasskeySignals calls={signals} />
      {done !== null && <Status>{t(done)}</Status>}
      {socialNews !== null && <SocialNewsAlert news={socialNews} />}
      <Profile {...props} />
      <PasswordSection hasPassword={user.hasPassword} canRemove={canRemovePassword} />
      <IdentityList {...props} />
      <FactorList {...props} />
      <Section id="devices" title={t('account.devices')}>
        <p>{t('account.devices_text')}</p>
        <Devices {...{ identities, sessions, currentId, nextCursor }} />
        <EndedSessions sessions={ended} />
      </Section>
      <Apps apps={apps} />
      <Leaving />
    </Layout>
  )
}

/** Whether a factor is a passkey that signs its user in by itself. */
function signsIn(factor: OwnFactor): boolean {
  return 'userVerifying' in factor && factor.userVerifying
}

function Leaving(): VNode {
  const { t } = usePage()
  return (
    <>
      <Section id="sign-out" title={t('account.sign_out')}>
        <div class="actions">
          <Form action="/account/sign-out">
            <Button>{t('account.sign_out')}</Button>
          </Form>
          <Form action="/account/sign-out-everywhere">
            <Button kind="secondary">{t('account.sign_out_everywhere')}</Button>
          </Form>
        </div>
      </Section>
      <Section id="delete" title={t('account.delete')}>
        <p>{t('account.delete_text')}</p>
        <ButtonLink path="/account/delete" kind="danger">
          {t('account.delete')}
        </ButtonLink>
      </Section>
    </>
  )
}

interface DeletePageProps {
  email: string
  /** Users without one have just confirmed by a passkey that it is them. */
  hasPassword: boolean
  errors?: FormErrors
}

export function DeletePage({ email, hasPassword, errors = noErrors }: DeletePageProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.delete')} hasErrors={errors !== noErrors}>
      <p>{t('account.delete_text')}</p>
      <Form action="/account/delete" error={errors.form}>
        <AddressOfPassword email={email} />
        {hasPassword && <CurrentPassword errors={errors} />}
        <Button kind="danger">{t('account.delete_submit')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}
