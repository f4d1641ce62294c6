import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import type { User } from '../../features/accounts/accounts.js'
import { replyWithAccessToken } from '../../features/browser/browser.js'
import type { RequestOptions } from '../../features/passkeys/passkeys.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { BackToAccount } from '../account/section.js'
import { assertionForm, codeForm, recoveryCodeForm } from '../factors/factor-forms.js'
import { PasskeyForm } from '../factors/passkey-form.js'
import { RecoveryCodeField, TotpField } from '../factors/totp-page.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { Alert, Button, ButtonLink, Field, Form, PasswordField } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { forUsersStale, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { OtherwiseProviders, ProviderButtons, type ShownProvider } from '../social/provider-buttons.js'

const methods = ['password', 'passkey', 'totp', 'recovery_code'] as const
type Method = (typeof methods)[number]

/** The fields of the form of each method. */
const forms = {
  password: z.object({ password: passwordSchema }),
  passkey: assertionForm,
  totp: codeForm,
  recovery_code: recoveryCodeForm,
}

const fields = { password: 'password', passkey: 'credential', totp: 'code', recovery_code: 'recovery_code' } as const

const query = pageQuery.extend({ methods: z.string().optional() })

/**
 * /account/confirm: a signed-in user authenticates again, and goes on with the page that asked for it. The methods in the
 * address only say which forms are shown; what suffices is judged when one is sent, and by the page that asked.
 */
export function mountConfirm(scope: AppInstance, tools: PageTools): void {
  const { rendering, reauthentication, readReturnTo, cookies, account, door } = tools

  async function send(
    reply: FastifyReply,
    { listed, returnTo, errors = noErrors, status = 200 }: Shown,
  ): Promise<FastifyReply> {
    const { sub: userId } = claimsOf(reply.request)
    const user = await account.read(userId)
    const offered =
      listed === '' ? defaultMethodsOf(user) : methods.filter((method) => listed.split(' ').includes(method))
    const passkey = offered.includes('passkey') ? await reauthentication.passkeyOptions(userId) : null
    const providers = await signingIn(user)
    const props = { offered, listed, returnTo, email: user.email, passkey, providers, errors }
    return rendering.send(reply, <ConfirmPage {...props} />, { status, returnTo })
  }

  /** With which another sign-in would confirm it: only for users without factors, which would be asked for besides. */
  async function signingIn({ id, factors }: Awaited<ReturnType<typeof account.read>>) {
    const identities = factors.length === 0 ? await tools.ownIdentities.list(id) : []
    return tools.shownProviders.filter((shown) => identities.some(({ provider }) => provider === shown.id))
  }

  scope.get('/account/confirm', { ...forUsersStale, schema: { hide: true, querystring: query } }, (request, reply) => {
    const { return_to: returnTo = '', methods: listed = '' } = request.query
    readReturnTo(returnTo)
    return send(reply, { listed, returnTo })
  })

  scope.post('/account/confirm', forUsersStale, async (request, reply) => {
    const { body } = request
    const returnTo = typedField(body, 'return_to')
    const target = readReturnTo(returnTo)?.target ?? '/account'
    const method = methodOf(body)
    try {
      const { sub: userId, sid: sessionId, amr } = claimsOf(request)
      const self = { ...door.requesterOf(reply), userId, sessionId, amr }
      const presented = readForm(forms[method], body)
      replyWithAccessToken(reply, await reauthentication.reauthenticate(self, presented), { cookies })
    } catch (error) {
      const shown = errorsOf(tools, reply, error, fields[method])
      return send(reply, { listed: typedField(body, 'methods'), returnTo, ...shown })
    }
    return rendering.redirect(reply, target)
  })
}

interface Shown {
  /** As the refusal listed them, separated by spaces. */
  listed: string
  returnTo: string
  errors?: FormErrors
  status?: number
}

/** For a visitor who opened the page by its address. */
function defaultMethodsOf({ factors, hasPassword }: Pick<User, 'factors' | 'hasPassword'>): readonly Method[] {
  if (factors.length > 0) return [...factors, 'recovery_code']
  return hasPassword ? ['password'] : []
}

function methodOf(body: unknown): Method {
  const isIn = (name: string) => typeof body === 'object' && body !== null && name in body
  return methods.find((method) => isIn(fields[method])) ?? 'password'
}

interface ConfirmPageProps {
  offered: readonly Method[]
  listed: string
  returnTo: string
  email: string
  passkey: RequestOptions | null
  /** The providers that sign the user in, for users without factors. */
  providers: readonly ShownProvider[]
  errors: FormErrors
}

function ConfirmPage({ offered, listed, returnTo, email, passkey, providers, errors }: ConfirmPageProps): VNode {
  const { t } = usePage()
  const form = { action: '/account/confirm', hidden: { return_to: returnTo, methods: listed } }
  return (
    <Layout title={t('confirm.title')} hasErrors={errors !== noErrors} scripts={['passkey.js']}>
      <p>{t('confirm.text')}</p>
      {errors.form !== null && <Alert>{errors.form}</Alert>}
      {passkey !== null && <PasskeyForm {...form} asks={{ show: passkey }} errors={errors} submit={t('passkey.use')} />}
      {offered.includes('totp') && (
        <Form {...form}>
          <TotpField errors={errors} />
          <Button kind={passkey === null ? 'primary' : 'secondary'}>{t('common.continue')}</Button>
        </Form>
      )}
      {offered.includes('password') && (
        <Form {...form}>
          <Field
            name="username"
            label={t('field.email')}
            type="email"
            value={email}
            autocomplete="username"
            isReadonly
          />
          <PasswordField error={errors.fields['password']} />
          <Button>{t('common.continue')}</Button>
        </Form>
      )}
      {providers.length > 0 && offered.length > 0 && <OtherwiseProviders providers={providers} returnTo={returnTo} />}
      {providers.length > 0 && offered.length === 0 && <ProviderButtons providers={providers} returnTo={returnTo} />}
      {providers.length === 0 && offered.length === 0 && (
        <ButtonLink path={withReturnTo('/signin', returnTo, { prompt: 'login' })}>{t('confirm.again')}</ButtonLink>
      )}
      {offered.includes('recovery_code') && (
        <details open={errors.fields['recovery_code'] !== undefined}>
          <summary>{t('recovery.use_link')}</summary>
          <Form {...form}>
            <RecoveryCodeField errors={errors} isFirst={false} />
            <Button kind="secondary">{t('common.continue')}</Button>
          </Form>
        </details>
      )}
      <BackToAccount />
    </Layout>
  )
}
