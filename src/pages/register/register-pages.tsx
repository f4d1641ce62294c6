import type { VNode } from 'preact'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { withReturnTo } from '../return-to.js'
import { OtherwiseProviders, type ShownProvider } from '../social/provider-buttons.js'

interface RegisterProps {
  typed: { email: string; name: string }
  returnTo: string
  /** Those with which an account can be made. */
  providers: readonly ShownProvider[]
  errors?: FormErrors
}

export function RegisterPage({ typed, returnTo, providers, errors = noErrors }: RegisterProps): VNode {
  const { t, href, minLength } = usePage()
  return (
    <Layout title={t('register.title')} hasErrors={errors !== noErrors}>
      <Form action="/register" hidden={{ return_to: returnTo }} error={errors.form}>
        <Field
          name="email"
          label={t('field.email')}
          type="email"
          value={typed.email}
          autocomplete="username"
          inputmode="email"
          error={errors.fields['email']}
          isFirst={errors === noErrors}
        />
        <Field
          name="name"
          label={t('field.name')}
          value={typed.name}
          autocomplete="name"
          maxlength={100}
          error={errors.fields['name']}
          isOptional
        />
        <Field
          name="password"
          label={t('field.password')}
          type="password"
          autocomplete="new-password"
          hint={t('password.hint', { min: minLength })}
          error={errors.fields['password']}
        />
        <Button>{t('register.submit')}</Button>
      </Form>
      <OtherwiseProviders providers={providers} returnTo={returnTo} />
      <p class="aside">
        {t('register.have_account')} <a href={href(withReturnTo('/signin', returnTo))}>{t('signin.title')}</a>
      </p>
    </Layout>
  )
}

export function RegistrationClosedPage(): VNode {
  const { t, href } = usePage()
  return (
    <Layout title={t('register.closed_title')}>
      <p>{t('register.closed_text')}</p>
      <p class="aside">
        <a href={href('/signin')}>{t('signin.title')}</a>
      </p>
    </Layout>
  )
}
