import type { VNode } from 'preact'
import type { DeviceRequest, UserCodeFault } from '../../features/oauth/oauth.js'
import { Button, ButtonLink, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { RequestedAccess } from './oauth-pages.js'

/** Asks for the code that a device shows. */
export function UserCodePage(props: { xsrf: string; userCode: string; fault: UserCodeFault | null }): VNode {
  const { xsrf, userCode, fault } = props
  const { t } = usePage()
  const error = fault === null ? undefined : t(`device.error_${fault}`)
  return (
    <Layout title={t('device.title')} hasErrors={fault !== null}>
      <p>{t('device.text')}</p>
      <Form action="/device" hidden={{ xsrf }}>
        <Field
          name="user_code"
          label={t('device.code')}
          hint={t('device.code_hint')}
          value={userCode}
          error={error}
          autocomplete="off"
          maxlength={32}
          isFirst
        />
        <Button>{t('common.continue')}</Button>
      </Form>
    </Layout>
  )
}

/** What the device asks for, and the buttons to grant or to refuse it. */
export function DevicePage(props: { xsrf: string; userCode: string; device: DeviceRequest }): VNode {
  const { xsrf, userCode, device } = props
  const { clientName, host, ip, scopes, resources } = device
  const { t } = usePage()
  const hidden = { xsrf, user_code: userCode }
  return (
    <Layout title={t('device.confirm_title', { client: clientName })}>
      <p>{t('device.confirm_text')}</p>
      <p class="user-code" dir="ltr">
        {userCode}
      </p>
      <RequestedAccess client={clientName} host={host} scopes={scopes} resources={resources} />
      {ip !== null && <p class="hint">{t('device.address', { address: ip })}</p>}
      <Form action="/device" hidden={{ ...hidden, confirm: 'yes' }}>
        <Button>{t('oauth.allow')}</Button>
      </Form>
      <Form action="/device" hidden={{ ...hidden, abort: 'yes' }}>
        <Button kind="secondary">{t('oauth.refuse')}</Button>
      </Form>
    </Layout>
  )
}

export function DeviceApprovedPage({ clientName }: { clientName: string }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('device.approved_title')}>
      <p>{t('device.approved_text', { client: clientName })}</p>
      <ToAccount />
    </Layout>
  )
}

export function DeviceRefusedPage(): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('device.refused_title')}>
      <p>{t('device.refused_text')}</p>
      <ToAccount />
    </Layout>
  )
}

function ToAccount(): VNode {
  const { t } = usePage()
  return (
    <ButtonLink path="/account" kind="secondary">
      {t('problem.account')}
    </ButtonLink>
  )
}
