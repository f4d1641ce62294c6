import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { emailSchema, nameSchema } from '../../features/accounts/accounts.js'
import { holdersOf, replyWithFlow } from '../../features/flows/flows.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { RegisterPage, RegistrationClosedPage } from './register-pages.js'

const registerForm = z.object({
  email: emailSchema,
  password: passwordSchema,
  name: z.union([z.literal('').transform(() => undefined), nameSchema.optional()]),
})

/** /register: a new account, and its first session. */
export function mountRegister(scope: AppInstance, tools: PageTools): void {
  const { rendering, readReturnTo, flowCookie } = tools
  const providers = tools.socialSignUp ? tools.shownProviders : []

  scope.get('/register', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const { return_to: returnTo = '' } = request.query
    if (tools.registration !== 'open') return rendering.send(reply, <RegistrationClosedPage />, { status: 403 })
    const leadsTo = readReturnTo(returnTo)?.origin ?? null
    const page = <RegisterPage typed={{ email: '', name: '' }} returnTo={returnTo} providers={providers} />
    return rendering.send(reply, page, { returnTo, leadsTo })
  })

  scope.post('/register', forAnyone, async (request, reply) => {
    const { body } = request
    const returnTo = typedField(body, 'return_to')
    const destination = readReturnTo(returnTo)
    const leadsTo = destination?.origin ?? null
    try {
      const { email, password, name } = readForm(registerForm, body)
      const context = tools.door.contextOf(reply, { email, mode: 'session' })
      const wish = { mode: 'session' as const, remember: true, locale: rendering.language(request).locale }
      const registration = { email, password, ...wish, ...(name !== undefined && { name }) }
      const { tokens, flow } = await tools.signIn.register(registration, context, holdersOf(reply, {}, flowCookie))
      if (flow !== null) {
        replyWithFlow(reply, flow, flowCookie)
        tools.returnCookie.keep(reply, flow.id, returnTo)
      }
      if (tokens === null) return await rendering.redirect(reply, withReturnTo('/verify', returnTo))
      tools.door.reply(reply, tokens, context)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const typed = { email: typedField(body, 'email'), name: typedField(body, 'name') }
      const page = <RegisterPage typed={typed} {...{ returnTo, providers, errors }} />
      return rendering.send(reply, page, { status, returnTo, leadsTo })
    }
    return rendering.redirect(reply, destination?.target ?? '/account')
  })
}
