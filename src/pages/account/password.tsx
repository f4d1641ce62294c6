import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import { replyWithTokens } from '../../features/browser/browser.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm } from '../forms/read-form.js'
import { Alert, Button, ButtonLink, Field, Form } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { forUsersChangingPassword, forUsersRecent } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { AddressOfPassword, CurrentPassword } from './password-fields.js'
import { BackToAccount, Section } from './section.js'
import { selfOf } from './self.js'

// Users without a password have none to show.
const passwordForm = z.object({ current_password: passwordSchema.optional(), new_password: passwordSchema })

/** /account/password: a new password, and none at all for users who sign in with a passkey. */
export function mountPassword(scope: AppInstance, tools: PageTools): void {
  mountChange(scope, tools)
  mountRemoval(scope, tools)
}

function mountChange(scope: AppInstance, tools: PageTools): void {
  const { rendering, account } = tools

  async function sendPassword(reply: FastifyReply, shown: { errors?: FormErrors; status?: number }) {
    const { errors = noErrors, status = 200 } = shown
    const { email, hasPassword } = await account.read(claimsOf(reply.request).sub)
    return rendering.send(reply, <PasswordPage email={email} hasPassword={hasPassword} errors={errors} />, { status })
  }

  scope.get('/account/password', forUsersChangingPassword, (_request, reply) => sendPassword(reply, {}))

  scope.post('/account/password', forUsersChangingPassword, async (request, reply) => {
    let done = 'password'
    try {
      const { current_password: current = null, new_password: next } = readForm(passwordForm, request.body)
      const tokens = await account.changePassword(selfOf(reply, tools), { current, next })
      if (tokens !== null) replyWithTokens(reply, tokens, tools)
      if (current === null) done = 'password_set'
    } catch (error) {
      return sendPassword(reply, errorsOf(tools, reply, error, 'current_password'))
    }
    return rendering.redirect(reply, `/account?done=${done}`)
  })
}

function mountRemoval(scope: AppInstance, tools: PageTools): void {
  const { rendering, account } = tools
  const path = '/account/password/remove'

  scope.get(path, forUsersRecent, async (request, reply) => {
    const { hasPassword } = await account.read(claimsOf(request).sub)
    return hasPassword ? rendering.send(reply, <RemovePasswordPage />) : rendering.redirect(reply, '/account')
  })

  scope.post(path, forUsersRecent, async (request, reply) => {
    try {
      const tokens = await account.removePassword(selfOf(reply, tools))
      if (tokens !== null) replyWithTokens(reply, tokens, tools)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      // Of factors, the same problem says that a password has to come first.
      const isLast = error instanceof Problem && error.code === 'last_way_in'
      const form = isLast ? rendering.language(request).t('error.password_last_way_in') : errors.form
      return rendering.send(reply, <RemovePasswordPage errors={{ ...errors, form }} />, { status })
    }
    return rendering.redirect(reply, '/account?done=password_removed')
  })
}

interface PasswordSectionProps {
  hasPassword: boolean
  /** Whether something else signs the user in: a passkey, or an account at another provider. */
  canRemove: boolean
}

/** The password, on the account page. */
export function PasswordSection({ hasPassword, canRemove }: PasswordSectionProps): VNode {
  const { t } = usePage()
  return (
    <Section id="password" title={t('account.password')}>
      <p>{t(hasPassword ? 'account.password_text' : 'account.no_password')}</p>
      <div class="actions">
        <ButtonLink path="/account/password" kind="secondary">
          {t(hasPassword ? 'account.change_password' : 'account.set_password')}
        </ButtonLink>
        {hasPassword && canRemove && (
          <ButtonLink path="/account/password/remove" kind="secondary">
            {t('account.remove_password')}
          </ButtonLink>
        )}
      </div>
    </Section>
  )
}

interface PasswordPageProps {
  email: string
  /** Users without one have just confirmed by a passkey that it is them. */
  hasPassword: boolean
  errors: FormErrors
}

function PasswordPage({ email, hasPassword, errors }: PasswordPageProps): VNode {
  const { t, minLength } = usePage()
  const title = t(hasPassword ? 'account.change_password' : 'account.set_password')
  return (
    <Layout title={title} hasErrors={errors !== noErrors}>
      <p>{t('account.password_text')}</p>
      <Form action="/account/password" error={errors.form}>
        <AddressOfPassword email={email} />
        {hasPassword && <CurrentPassword errors={errors} />}
        <Field
          name="new_password"
          label={t('field.new_password')}
          type="password"
          autocomplete="new-password"
          hint={t('password.hint', { min: minLength })}
          error={errors.fields['new_password']}
          isFirst={!hasPassword && errors === noErrors}
        />
        <Button>{title}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}

function RemovePasswordPage({ errors = noErrors }: { errors?: FormErrors }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('account.remove_password')} hasErrors={errors !== noErrors}>
      <p>{t('account.remove_password_text')}</p>
      {errors.form !== null && <Alert>{errors.form}</Alert>}
      <Form action="/account/password/remove">
        <Button kind="danger">{t('account.remove_password')}</Button>
      </Form>
      <BackToAccount />
    </Layout>
  )
}
