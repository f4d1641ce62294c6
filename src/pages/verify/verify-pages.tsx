import type { VNode } from 'preact'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, ButtonLink, Field, Form, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'

interface VerifyPageProps {
  /** The address as it was typed in this browser. */
  email: string
  /** Whether the mail may not come, because the address may have no account. */
  isUncertain: boolean
  returnTo: string
  isResent?: boolean
  errors?: FormErrors
}

/** Asks for the code of a mail that this browser has asked for. */
export function VerifyPage({
  email,
  isUncertain,
  returnTo,
  isResent = false,
  errors = noErrors,
}: VerifyPageProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('verify.title')} hasErrors={errors !== noErrors}>
      {isResent && <Status>{t('verify.resent')}</Status>}
      <p>{t(isUncertain ? 'verify.text_maybe' : 'verify.text_register', { email })}</p>
      <Form action="/verify" hidden={{ return_to: returnTo }} error={errors.form}>
        <CodeField errors={errors} />
        <Button>{t('verify.submit')}</Button>
      </Form>
      <div class="aside">
        <Form action="/verify/resend" hidden={{ return_to: returnTo }}>
          <Button kind="secondary">{t('verify.resend')}</Button>
        </Form>
      </div>
    </Layout>
  )
}

export function CodeField({ errors }: { errors: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="code"
      label={t('verify.code')}
      hint={t('verify.code_hint')}
      autocomplete="one-time-code"
      inputmode="numeric"
      error={errors.fields['code']}
      isFirst={errors === noErrors}
    />
  )
}

export function NothingToVerifyPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('verify.nothing_title')}>
      <p>{t('verify.nothing_text')}</p>
      <ButtonLink path="/signin" kind="secondary">
        {t('signin.title')}
      </ButtonLink>
    </Layout>
  )
}

export function ConfirmedPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('verify.done_title')}>
      <ButtonLink path="/account">{t('common.continue')}</ButtonLink>
    </Layout>
  )
}
