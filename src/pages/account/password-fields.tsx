import type { VNode } from 'preact'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { Field } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'

/** For password managers, which file a password under it. */
export function AddressOfPassword({ email }: { email: string }): VNode {
  const { t } = usePage()
  return (
    <Field name="username" label={t('field.email')} type="email" value={email} autocomplete="username" isReadonly />
  )
}

export function CurrentPassword({ errors }: { errors: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Field
      name="current_password"
      label={t('field.current_password')}
      type="password"
      autocomplete="current-password"
      error={errors.fields['current_password']}
      isFirst={errors === noErrors}
    />
  )
}
