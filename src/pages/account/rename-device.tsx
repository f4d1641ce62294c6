import type { VNode } from 'preact'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { deviceNameSchema } from '../../features/families/families.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { Button, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { forUsers } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { BackToAccount } from './section.js'

const nameForm = z.object({ device_name: deviceNameSchema })

/** /account/sessions/…/name: what the user calls a device. */
export function mountDeviceNames(scope: AppInstance, tools: PageTools): void {
  const { rendering, families } = tools
  const path = '/account/sessions/:id/name'

  scope.get<{ Params: { id: string } }>(path, forUsers, async (request, reply) => {
    const { id } = request.params
    const { family } = await families.findSession(claimsOf(request).sub, id)
    return rendering.send(reply, <DeviceNamePage id={id} name={family.deviceName ?? ''} />)
  })

  scope.post<{ Params: { id: string } }>(path, forUsers, async (request, reply) => {
    const { id } = request.params
    try {
      const { device_name: name } = readForm(nameForm, request.body)
      await families.renameSession(claimsOf(request).sub, id, name)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const page = <DeviceNamePage id={id} name={typedField(request.body, 'device_name')} errors={errors} />
      return rendering.send(reply, page, { status })
    }
    return rendering.redirect(reply, '/account?done=device_name')
  })
}

function DeviceNamePage({ id, name, errors = noErrors }: { id: string; name: string; errors?: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.rename_title')} hasErrors={errors !== noErrors}>
      <Form action={`/account/sessions/${id}/name`} error={errors.form}>
        <Field
          name="device_name"
          label={t('account.device_name')}
          value={name}
          autocomplete="off"
          maxlength={100}
          error={errors.fields['device_name']}
          isFirst
        />
        <Button>{t('account.save')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}
