import type { ComponentChildren, VNode } from 'preact'
import type { CreationOptions, RequestOptions } from '../../features/passkeys/passkeys.js'
import type { FormErrors } from '../forms/form-errors.js'
import { Alert, Button, Form } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'

interface PasskeyFormProps {
  action: string
  /** What the browser is asked: to make a passkey, or to show one. */
  asks: { create: CreationOptions } | { show: RequestOptions }
  hidden?: Readonly<Record<string, string>>
  errors: FormErrors
  submit: string
  kind?: 'primary' | 'secondary'
  /** The path that returns newer options, where the browser also offers passkeys in the field of the address. */
  renewAt?: string
  children?: ComponentChildren
}

/** A form that is sent with a passkey. Only its script can ask for one, so it is hidden until that runs. */
export function PasskeyForm(props: PasskeyFormProps): VNode {
  const { action, asks, hidden = {}, errors, submit, kind = 'primary', renewAt, children } = props
  const { t, href } = usePage()
  const data = {
    'data-passkey': 'create' in asks ? 'create' : 'show',
    'data-options': JSON.stringify('create' in asks ? asks.create : asks.show),
    ...(renewAt !== undefined && { 'data-renew-at': href(renewAt) }),
  }
  const isRefused = Object.keys(errors.fields).some((name) => name.startsWith('credential'))
  return (
    <Form
      action={action}
      hidden={{ ...hidden, credential: '' }}
      error={isRefused ? t('error.passkey') : null}
      data={data}
      isHidden
    >
      <div data-failed hidden>
        <Alert>{t('passkey.failed')}</Alert>
      </div>
      {children}
      <Button kind={kind}>{submit}</Button>
    </Form>
  )
}
