import type { VNode } from 'preact'
import type { RequestOptions } from '../../features/passkeys/passkeys.js'
import { PasskeyForm } from '../factors/passkey-form.js'
import { PasskeySignals, signalOfUnknown } from '../factors/passkey-signals.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Alert, Button, ButtonLink, Checkbox, Field, Form, PasswordField, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { withReturnTo } from '../return-to.js'
import { OtherwiseProviders, type ShownProvider } from '../social/provider-buttons.js'
import { SocialNewsAlert, type SocialNews } from '../social/social-news.js'
import type { MessageKey } from '../locales/messages.js'
import { sayEndReason } from '../locales/end-reasons.js'

interface StepProps {
  email: string
  /** `return_to`; empty for the account page. */
  returnTo: string
  errors?: FormErrors
}

export interface AddressStepProps extends StepProps {
  /** What the visitor is told first. */
  done?: MessageKey | null
  /** Why the session ended that its visitor had; empty for one who had none. */
  endReason?: string
  /** What became of a sign-in at another provider. */
  socialNews?: SocialNews | null
  canRegister: boolean
  providers: readonly ShownProvider[]
  /** What browsers are asked for, who offer passkeys beside the address. */
  passkey: RequestOptions
  /** A passkey that the visitor has shown and that is not registered, which the browser is told of. */
  unknownPasskey?: string | null
}

/** The first step: the address alone, so that what is asked for next can depend on it. */
export function AddressStep(props: AddressStepProps): VNode {
  const { email, returnTo, errors = noErrors, endReason = '', done = null, canRegister, passkey } = props
  const { unknownPasskey = null, socialNews = null, providers } = props
  const { t, href } = usePage()
  return (
    <Layout title={t('signin.title')} hasErrors={errors !== noErrors} scripts={['passkey-signals.js', 'passkey.js']}>
      {unknownPasskey !== null && <PasskeySignals calls={signalOfUnknown(passkey.rpId, unknownPasskey)} />}
      {done !== null && <Status>{t(done)}</Status>}
      {endReason !== '' && <Alert>{t('signin.ended', { reason: sayEndReason(t, endReason) })}</Alert>}
      {socialNews !== null && <SocialNewsAlert news={socialNews} />}
      <Form action="/signin" hidden={{ return_to: returnTo }} error={errors.form}>
        <Field
          name="email"
          label={t('field.email')}
          type="email"
          value={email}
          autocomplete="username webauthn"
          inputmode="email"
          error={errors.fields['email']}
          isFirst
        />
        <Button>{t('common.continue')}</Button>
      </Form>
      <PasskeyForm
        action="/signin/passkey"
        asks={{ show: passkey }}
        hidden={{ return_to: returnTo }}
        errors={errors}
        submit={t('passkey.sign_in')}
        kind="secondary"
        renewAt="/v1/auth/passkey/options"
      />
      <OtherwiseProviders providers={providers} returnTo={returnTo} />
      {canRegister && (
        <p class="aside">
          {t('signin.no_account')} <a href={href(withReturnTo('/register', returnTo))}>{t('signin.register')}</a>
        </p>
      )}
    </Layout>
  )
}

interface PasswordStepProps extends StepProps {
  remember: boolean
  /** Whether a forgotten password can be reset by mail. */
  canMail: boolean
  /** Whether a mailed code is offered in place of the password. */
  canMailCode: boolean
}

/** The second step: the password of the address, which password managers read from its own field. */
export function PasswordStep(props: PasswordStepProps): VNode {
  const { email, returnTo, errors = noErrors, remember, canMail, canMailCode } = props
  const { t, href } = usePage()
  return (
    <Layout title={t('signin.password_title')} hasErrors={errors !== noErrors}>
      <Form action="/signin/password" hidden={{ return_to: returnTo }} error={errors.form}>
        <Field name="email" label={t('field.email')} type="email" value={email} autocomplete="username" isReadonly />
        <PasswordField error={errors.fields['password']} />
        <Checkbox name="remember" label={t('field.remember')} isChecked={remember} />
        <Button>{t('signin.title')}</Button>
      </Form>
      <div class="aside links">
        {canMailCode && (
          <Form action="/signin/code" hidden={{ email, return_to: returnTo }}>
            <Button kind="secondary">{t('signin.code')}</Button>
          </Form>
        )}
        {canMail && <a href={href(withReturnTo('/forgot', returnTo))}>{t('forgot.title')}</a>}
        <a href={href(withReturnTo('/signin', returnTo))}>{t('signin.other_address')}</a>
      </div>
    </Layout>
  )
}

/** For a visitor who has a session: they go on with it, or sign in as another user. */
export function AlreadySignedIn({ email, returnTo }: StepProps): VNode {
  const { t, href } = usePage()
  const path = returnTo === '' ? '/account' : returnTo
  return (
    <Layout title={t('signin.already_title')}>
      <p>{t('signin.already_text', { email })}</p>
      {path.startsWith('/') ? (
        <ButtonLink path={path}>{t('common.continue')}</ButtonLink>
      ) : (
        <a class="button primary" href={path}>
          {t('common.continue')}
        </a>
      )}
      <p class="aside">
        <a href={href(withReturnTo('/signin', returnTo, { prompt: 'login' }))}>{t('signin.switch')}</a>
      </p>
    </Layout>
  )
}
