import type { VNode } from 'preact'
import { z } from 'zod'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Button, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { QrCode } from './qr-code.js'

/** What the page of a new authenticator app shows, which its form keeps while a code is wrong. */
export const shownTotpSchema = z.object({
  id: z.uuid(),
  uri: z
    .string()
    .max(1000)
    .regex(/^otpauth:\/\/totp\/[^\s]+[?&]secret=[A-Z2-7]+/),
})

export type ShownTotp = z.output<typeof shownTotpSchema>

interface TotpPageProps {
  totp: ShownTotp
  action: string
  hidden?: Readonly<Record<string, string>>
  errors?: FormErrors
}

/** The QR code and the secret of a new authenticator app, and the field for its first code. */
export function TotpPage({ totp, action, hidden = {}, errors = noErrors }: TotpPageProps): VNode {
  const { t } = usePage()
  const { id, uri } = totp
  const secret = /[?&]secret=([A-Z2-7]+)/.exec(uri)?.[1] ?? ''
  return (
    <Layout title={t('totp.title')} hasErrors={errors !== noErrors}>
      <p>{t('totp.scan')}</p>
      <QrCode text={uri} label={t('totp.qr_code')} />
      <dl>
        <dt>{t('totp.secret')}</dt>
        <dd>
          <code dir="ltr">{secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
        </dd>
      </dl>
      <Form action={action} hidden={{ ...hidden, id, uri }} error={errors.form}>
        <TotpField errors={errors} />
        <Button>{t('verify.submit')}</Button>
      </Form>
    </Layout>
  )
}

/** The field for the code of an authenticator app. */
export function TotpField({ errors }: { errors: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="code"
      label={t('totp.code')}
      hint={t('totp.code_hint')}
      autocomplete="one-time-code"
      inputmode="numeric"
      error={errors.fields['code']}
      isFirst={errors === noErrors}
    />
  )
}

export function RecoveryCodeField({ errors, isFirst = true }: { errors: FormErrors; isFirst?: boolean }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="recovery_code"
      label={t('recovery.code')}
      hint={t('recovery.code_hint')}
      autocomplete="off"
      error={errors.fields['recovery_code']}
      isFirst={isFirst && errors === noErrors}
    />
  )
}
