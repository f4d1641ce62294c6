import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { emailSchema, nameSchema } from '../../features/accounts/accounts.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { keepSession, signInContextOf } from '../signin/signing-in.js'
import { RegisterPage, RegistrationClosedPage } from './register-pages.js'

const registerForm = z.object({
  email: emailSchema,
  password: passwordSchema,
  name: z.union([z.literal('').transform(() => undefined), nameSchema.optional()]),
})

/** /register: a new account, and its first session. */
export function mountRegister(scope: AppInstance, tools: PageTools): void {
  const { rendering, readReturnTo, registration } = tools

  scope.get('/register', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const { return_to: returnTo = '' } = request.query
    if (registration !== 'open') return rendering.send(reply, <RegistrationClosedPage />, { status: 403 })
    const leadsTo = readReturnTo(returnTo)?.origin ?? null
    const page = <RegisterPage typed={{ email: '', name: '' }} returnTo={returnTo} />
    return rendering.send(reply, page, { returnTo, leadsTo })
  })

  scope.post('/register', forAnyone, async (request, reply) => {
    const { body } = request
    const returnTo = typedField(body, 'return_to')
    const destination = readReturnTo(returnTo)
    const leadsTo = destination?.origin ?? null
    try {
      const { email, password, name } = readForm(registerForm, body)
      const context = signInContextOf(reply, email, tools)
      const wish = { email, password, mode: 'session' as const, remember: true }
      const tokens = await tools.signIn.register({ ...wish, ...(name !== undefined && { name }) }, context)
      keepSession(reply, tokens, context, tools)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const typed = { email: typedField(body, 'email'), name: typedField(body, 'name') }
      const page = <RegisterPage typed={typed} returnTo={returnTo} errors={errors} />
      return rendering.send(reply, page, { status, returnTo, leadsTo })
    }
    return rendering.redirect(reply, destination?.target ?? '/account')
  })
}
