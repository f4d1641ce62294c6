import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import type { EmailChanger } from '../../features/account/account.js'
import { newEmailSchema } from '../../features/accounts/accounts.js'
import { holdersOf, replyWithFlow } from '../../features/flows/flows.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { Button, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { forUsersLive, forUsersRecent } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { BackToAccount } from './section.js'

const addressForm = z.object({ email: newEmailSchema })

/** /account/email: another address, which takes effect once it is confirmed. */
export function mountAddress(scope: AppInstance, tools: PageTools): void {
  const { rendering, emailChange, flowCookie } = tools

  scope.get('/account/email', forUsersRecent, (_request, reply) => rendering.send(reply, <AddressPage email="" />))

  scope.post('/account/email', forUsersRecent, async (request, reply) => {
    try {
      const { email } = readForm(addressForm, request.body)
      const body = { email, mode: 'session' as const, locale: rendering.language(request).locale }
      const begun = await emailChange.request(changerOf(reply, tools), body)
      replyWithFlow(reply, begun, flowCookie)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const page = <AddressPage email={typedField(request.body, 'email')} errors={errors} />
      return rendering.send(reply, page, { status })
    }
    return rendering.redirect(reply, '/verify')
  })

  scope.post('/account/email/cancel', forUsersLive, async (_request, reply) => {
    await emailChange.cancel(changerOf(reply, tools))
    return rendering.redirect(reply, '/account?done=email_cancelled')
  })
}

function changerOf(reply: FastifyReply, { door, flowCookie }: PageTools): EmailChanger {
  const { sub: userId, sid: sessionId } = claimsOf(reply.request)
  return { userId, sessionId, holders: holdersOf(reply, {}, flowCookie), ...door.requesterOf(reply) }
}

function AddressPage({ email, errors = noErrors }: { email: string; errors?: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.change_email')} hasErrors={errors !== noErrors}>
      <p>{t('account.change_email_text')}</p>
      <Form action="/account/email" error={errors.form}>
        <Field
          name="email"
          label={t('account.new_email')}
          type="email"
          value={email}
          autocomplete="email"
          inputmode="email"
          error={errors.fields['email']}
          isFirst
        />
        <Button>{t('account.change_email')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}
