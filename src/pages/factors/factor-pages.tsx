import type { VNode } from 'preact'
import type { CreationOptions } from '../../features/passkeys/passkeys.js'
import { BackToAccount } from '../account/section.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Alert, Button, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { PasskeyForm } from './passkey-form.js'

interface PageProps {
  errors?: FormErrors
}

/** The first page of a new authenticator app. */
export function NewTotpPage({ errors = noErrors }: PageProps): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('totp.title')} hasErrors={errors !== noErrors}>
      <p>{t('totp.text')}</p>
      <Form action="/account/factors/totp" error={errors.form}>
        <NameField label={t('totp.name')} value="" errors={errors} isOptional />
        <Button>{t('common.continue')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

export function NewPasskeyPage({ options, errors = noErrors }: PageProps & { options: CreationOptions }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('passkey.create')} hasErrors={errors !== noErrors} scripts={['passkey.js']}>
      <p>{t('passkey.text')}</p>
      {errors.form !== null && <Alert>{errors.form}</Alert>}
      <PasskeyForm
        action="/account/factors/passkey"
        asks={{ create: options }}
        errors={errors}
        submit={t('passkey.create')}
      >
        <NameField label={t('passkey.name')} value="" errors={errors} isOptional />
      </PasskeyForm>
      <noscript>
        <p>{t('passkey.needs_script')}</p>
      </noscript>
      <BackToAccount />
    </Layout>
  )
}

export function FactorPage({ id, name, errors = noErrors }: PageProps & { id: string; name: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('factors.edit_title')} hasErrors={errors !== noErrors}>
      <Form action={`/account/factors/${id}/name`}>
        <NameField label={t('field.name')} value={name} errors={errors} />
        <Button>{t('account.save')}</Button>
      </Form>
      <div class="aside links">
        <p>{t('factors.remove_text')}</p>
        <Form action={`/account/factors/${id}/remove`} error={errors.form}>
          <Button kind="danger">{t('factors.remove')}</Button>
        </Form>
      </div>
      <BackToAccount />
    </Layout>
  )
}

/** Asks before the recovery codes of now stop to work. */
export function NewRecoveryCodesPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('recovery.new')}>
      <p>{t('recovery.new_text')}</p>
      <Form action="/account/recovery-codes">
        <Button>{t('recovery.new')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

interface NameFieldProps {
  label: string
  value: string
  errors: FormErrors
  isOptional?: boolean
}

function NameField({ label, value, errors, isOptional = false }: NameFieldProps): VNode {
  return (
    <Field
      name="name"
      label={label}
      value={value}
      autocomplete="off"
      maxlength={100}
      error={errors.fields['name']}
      isOptional={isOptional}
    />
  )
}
