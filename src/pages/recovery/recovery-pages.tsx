import type { VNode } from 'preact'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, Field, Form, Status } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { LinkForm, NewPassword, type LinkPageProps } from '../link/link-pages.js'
import { withReturnTo } from '../return-to.js'
import { CodeField } from '../verify/verify-pages.js'

interface ForgotPageProps {
  email: string
  returnTo: string
  errors?: FormErrors
}

export function ForgotPage({ email, returnTo, errors = noErrors }: ForgotPageProps): VNode {
  const { t, href } = usePage()
  return (
    <Layout title={t('forgot.title')} hasErrors={errors !== noErrors}>
      <p>{t('forgot.text')}</p>
      <Form action="/forgot" hidden={{ return_to: returnTo }} error={errors.form}>
        <Field
          name="email"
          label={t('field.email')}
          type="email"
          value={email}
          autocomplete="username"
          inputmode="email"
          error={errors.fields['email']}
          isFirst
        />
        <Button>{t('forgot.submit')}</Button>
      </Form>
      <p class="aside">
        <a href={href(withReturnTo('/signin', returnTo))}>{t('common.back')}</a>
      </p>
    </Layout>
  )
}

interface ResetPageProps {
  /** The address as it was typed in this browser. */
  email: string
  returnTo: string
  isResent?: boolean
  errors?: FormErrors
}

/** The code of the mail and the new password, in the browser that asked for the mail. */
export function ResetPage({ email, returnTo, isResent = false, errors = noErrors }: ResetPageProps): VNode {
  const { t, minLength } = usePage()
  return (
    <Layout title={t('reset.title')} hasErrors={errors !== noErrors}>
      {isResent && <Status>{t('verify.resent')}</Status>}
      <p>{t('verify.text_maybe', { email })}</p>
      <Form action="/reset" hidden={{ return_to: returnTo }} error={errors.form}>
        <CodeField errors={errors} />
        <Field name="username" label={t('field.email')} type="email" value={email} autocomplete="username" isReadonly />
        <NewPassword name="new_password" label={t('field.new_password')} minLength={minLength} errors={errors} />
        <Button>{t('reset.submit')}</Button>
      </Form>
      <div class="aside">
        <Form action="/verify/resend" hidden={{ return_to: returnTo }}>
          <Button kind="secondary">{t('verify.resend')}</Button>
        </Form>
      </div>
    </Layout>
  )
}

export function ResetLink({ token, errors = noErrors }: LinkPageProps): VNode {
  const { t, minLength } = usePage()
  const texts = { title: 'reset.title', text: 'account.password_text', submit: 'reset.submit' } as const
  return (
    <LinkForm path="/link/reset-password" token={token} errors={errors} {...texts}>
      <NewPassword name="new_password" label={t('field.new_password')} minLength={minLength} errors={errors} />
    </LinkForm>
  )
}

export function NotMeLink(props: LinkPageProps): VNode {
  const texts = { title: 'link.not_me_title', text: 'link.not_me_text', submit: 'common.continue' } as const
  return (
    <LinkForm path="/link/not-me" {...props} {...texts}>
      <Digits errors={props.errors} />
    </LinkForm>
  )
}

export function UndoLink(props: LinkPageProps): VNode {
  const texts = { title: 'link.undo_title', text: 'link.undo_text', submit: 'common.continue' } as const
  return (
    <LinkForm path="/link/undo-email-change" {...props} {...texts}>
      <Digits errors={props.errors} />
    </LinkForm>
  )
}

/** Of the notice that an operator is about to reset the second factors. */
export function StopLink(props: LinkPageProps): VNode {
  const texts = { title: 'link.stop_title', text: 'link.stop_text', submit: 'link.stop_submit' } as const
  return (
    <LinkForm path="/link/stop-factors-reset" {...props} {...texts}>
      <Digits errors={props.errors} />
    </LinkForm>
  )
}

/** A mail gateway that opens links and presses buttons types nothing. */
function Digits({ errors = noErrors }: { errors: FormErrors | undefined }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="confirm"
      label={t('link.digits')}
      autocomplete="off"
      inputmode="numeric"
      maxlength={8}
      error={errors.fields['confirm']}
      isFirst
    />
  )
}

export function RegistrationCancelledPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('link.not_me_done_title')}>
      <p>{t('link.not_me_done')}</p>
    </Layout>
  )
}

export function ResetStoppedPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('link.stop_done_title')}>
      <p>{t('link.stop_done')}</p>
    </Layout>
  )
}
