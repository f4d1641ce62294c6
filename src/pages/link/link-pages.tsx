import type { ComponentChildren, VNode } from 'preact'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Alert, Button, ButtonLink, Field, Form, PasswordField } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'

export interface LinkPageProps {
  /** The link's token; empty where a script has to find it, in the fragment of the address. */
  token: string
  errors?: FormErrors
}

interface LinkFormProps extends LinkPageProps {
  path: string
  title: MessageKey
  text: MessageKey
  submit: MessageKey
  children?: ComponentChildren
}

/**
 * The page of a link: opening it changes nothing, because mail gateways open links too. Its script takes the token out of the
 * address before anything else, and finds it in the fragment.
 */
export function LinkForm({ path, title, text, submit, token, errors = noErrors, children }: LinkFormProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t(title)} hasErrors={errors !== noErrors} scripts={['take-token.js']}>
      <p>{t(text)}</p>
      {token === '' && (
        <div id="incomplete">
          <Alert>{t('link.incomplete')}</Alert>
        </div>
      )}
      <Form action={path} hidden={{ token }} error={errors.form}>
        {children}
        <Button>{t(submit)}</Button>
      </Form>
    </Layout>
  )
}

export function VerifyEmailLink({ token }: LinkPageProps): VNode {
  const texts = { title: 'link.verify_title', text: 'link.verify_text', submit: 'verify.submit' } as const
  return <LinkForm path="/link/verify-email" token={token} {...texts} />
}

/** For a registration whose link was opened elsewhere: its password is what neither a mail gateway nor another owner knows. */
export function VerifyEmailByPassword({ token, errors = noErrors }: LinkPageProps): VNode {
  const texts = { title: 'link.verify_title', text: 'link.password_text', submit: 'verify.submit' } as const
  return (
    <LinkForm path="/link/verify-email" token={token} errors={errors} {...texts}>
      <PasswordField error={errors.fields['password']} />
    </LinkForm>
  )
}

export function OtpLink({ token }: LinkPageProps): VNode {
  const texts = { title: 'signin.title', text: 'link.otp_text', submit: 'signin.title' } as const
  return <LinkForm path="/link/otp" token={token} {...texts} />
}

export function InvitationLink({ token, errors = noErrors, name = '' }: LinkPageProps & { name?: string }): VNode {
  const { t, minLength } = usePage()
  const texts = { title: 'link.invitation_title', text: 'link.invitation_text', submit: 'register.submit' } as const
  return (
    <LinkForm path="/link/invitation" token={token} errors={errors} {...texts}>
      <Field
        name="name"
        label={t('field.name')}
        value={name}
        autocomplete="name"
        maxlength={100}
        error={errors.fields['name']}
        isOptional
      />
      <NewPassword name="password" label={t('field.password')} minLength={minLength} errors={errors} />
    </LinkForm>
  )
}

interface NewPasswordProps {
  name: 'password' | 'new_password'
  label: string
  minLength: number
  errors: FormErrors
}

export function NewPassword({ name, label, minLength, errors }: NewPasswordProps): VNode {
  const { t } = usePage()
  return (
    <Field
      name={name}
      label={label}
      type="password"
      autocomplete="new-password"
      hint={t('password.hint', { min: minLength })}
      error={errors.fields[name]}
    />
  )
}

/** What has to be shown besides the link, where that was opened elsewhere. */
export function ElsewherePage({ needs }: { needs: 'code' | 'sign_in' }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('link.elsewhere_title')}>
      <p>{t(needs === 'code' ? 'link.code_text' : 'link.sign_in_text')}</p>
      <ButtonLink path={needs === 'code' ? '/verify' : '/signin'}>
        {t(needs === 'code' ? 'verify.code' : 'signin.title')}
      </ButtonLink>
    </Layout>
  )
}

/** A link that was used, is too old, or has been replaced. */
export function InvalidLinkPage({ text }: { text: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('link.invalid_title')}>
      <p>{text}</p>
      <ButtonLink path="/signin" kind="secondary">
        {t('signin.title')}
      </ButtonLink>
    </Layout>
  )
}
