import type { VNode } from 'preact'
import type { CreationOptions, RequestOptions } from '../../features/passkeys/passkeys.js'
import { PasskeyForm } from '../factors/passkey-form.js'
import { RecoveryCodeField, TotpField } from '../factors/totp-page.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Alert, Button, ButtonLink, Checkbox, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { withReturnTo } from '../return-to.js'

export interface MfaProps {
  returnTo: string
  /** Whether the user has an authenticator app. */
  hasTotp: boolean
  /** Null for a user without a passkey. */
  passkey: RequestOptions | null
  /** Whether a device can be trusted (MFA_TRUST_DAYS). */
  canTrust: boolean
  /** Whether a recovery code is asked for. */
  byRecoveryCode: boolean
  errors?: FormErrors
}

/** The second step of a sign-in: a passkey or a code, or a recovery code in their place. */
export function MfaPage(props: MfaProps): VNode {
  const { returnTo, hasTotp, passkey, canTrust, byRecoveryCode, errors = noErrors } = props
  const { t, href } = usePage()
  const hidden = { return_to: returnTo }
  const trust = canTrust && <Checkbox name="trust_device" label={t('mfa.trust')} isChecked={false} />
  return (
    <Layout title={t('mfa.title')} hasErrors={errors !== noErrors} scripts={['passkey.js']}>
      <p>{t(byRecoveryCode ? 'recovery.use' : 'mfa.text')}</p>
      {byRecoveryCode && (
        <Form action="/mfa" hidden={hidden} error={errors.form}>
          <RecoveryCodeField errors={errors} />
          {trust}
          <Button>{t('signin.title')}</Button>
        </Form>
      )}
      {!byRecoveryCode && passkey !== null && (
        <PasskeyForm action="/mfa" asks={{ show: passkey }} hidden={hidden} errors={errors} submit={t('passkey.use')} />
      )}
      {!byRecoveryCode && hasTotp && (
        <Form action="/mfa" hidden={hidden} error={errors.form}>
          <TotpField errors={errors} />
          {trust}
          <Button kind={passkey === null ? 'primary' : 'secondary'}>{t('signin.title')}</Button>
        </Form>
      )}
      {!byRecoveryCode && !hasTotp && (
        <>
          {errors.form !== null && <Alert>{errors.form}</Alert>}
          <noscript>
            <p>{t('passkey.needs_script')}</p>
          </noscript>
        </>
      )}
      <p class="aside">
        <a href={href(withReturnTo('/mfa', returnTo, byRecoveryCode ? {} : { method: 'recovery_code' }))}>
          {t(byRecoveryCode ? 'mfa.other' : 'recovery.use_link')}
        </a>
      </p>
    </Layout>
  )
}

export interface EnrollProps {
  returnTo: string
  passkey: CreationOptions
  errors?: FormErrors
}

/** A first factor, which MFA=required asks for before there is a session. */
export function EnrollPage({ returnTo, passkey, errors = noErrors }: EnrollProps): VNode {
  const { t } = usePage()
  const hidden = { return_to: returnTo }
  return (
    <Layout title={t('mfa.enroll_title')} hasErrors={errors !== noErrors} scripts={['passkey.js']}>
      <p>{t('mfa.enroll_text')}</p>
      <PasskeyForm
        action="/mfa/passkey"
        asks={{ create: passkey }}
        hidden={hidden}
        errors={errors}
        submit={t('passkey.create')}
      />
      <Form action="/mfa/totp" hidden={hidden} error={errors.form}>
        <Button kind="secondary">{t('totp.title')}</Button>
      </Form>
    </Layout>
  )
}

/** A sign-in whose second step came too late, or was tried too often. */
export function MfaOverPage({ returnTo }: { returnTo: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('mfa.over_title')}>
      <p>{t('mfa.over_text')}</p>
      <ButtonLink path={withReturnTo('/signin', returnTo)}>{t('signin.title')}</ButtonLink>
    </Layout>
  )
}
