import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { Problem } from '../../platform/problem.js'
import { emailSchema } from '../../features/accounts/accounts.js'
import { holdersOf, replyWithFlow } from '../../features/flows/flows.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { assertionForm } from '../factors/factor-forms.js'
import { readForm, typedField } from '../forms/read-form.js'
import { isKnownEndReason } from '../locales/end-reasons.js'
import type { MessageKey } from '../locales/messages.js'
import { errorsOf, findClaims, type PageTools } from '../page-tools.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { withReturnTo } from '../return-to.js'
import { findSocialNews } from '../social/social-news.js'
import { AddressStep, AlreadySignedIn, PasswordStep, type AddressStepProps } from './signin-pages.js'

const addressForm = z.object({ email: emailSchema })
const passwordForm = z.object({
  email: emailSchema,
  password: passwordSchema,
  remember: z.literal('true').optional(),
})

/** What has just been done, by the value of `done` in the address. */
const doneMessages: Readonly<Record<string, MessageKey>> = { reset: 'reset.done' }

/** /signin: the address, then the password. It makes a session of mode `session`, whose cookies the browser keeps. */
export function mountSignIn(scope: AppInstance, tools: PageTools): void {
  const { rendering, readReturnTo, account, door, flows, flowCookie } = tools
  const canRegister = tools.registration === 'open'
  const providers = tools.shownProviders
  const offers = { canMail: flows.sendsMail, canMailCode: flows.sendsMail && tools.methods.includes('otp') }

  scope.get('/signin', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, async (request, reply) => {
    const { return_to: returnTo = '', prompt, login_hint: email = '', ended = '', done } = request.query
    readReturnTo(returnTo)
    const claims = prompt === 'login' ? null : await findClaims(tools, request, reply)
    if (claims !== null) {
      const { email } = await account.read(claims.sub)
      return rendering.send(reply, <AlreadySignedIn email={email} returnTo={returnTo} />, { returnTo })
    }
    const endReason = isKnownEndReason(ended) ? ended : ''
    const socialNews = findSocialNews(request.query, providers)
    const told = { endReason, done: doneMessages[done ?? ''] ?? null, socialNews }
    return sendAddressStep(reply, { email, returnTo, ...told })
  })

  scope.post('/signin', forAnyone, async (request, reply) => {
    const { returnTo, leadsTo } = destinationOf(request)
    const typed = typedField(request.body, 'email')
    try {
      const { email } = readForm(addressForm, request.body)
      const page = <PasswordStep email={email} returnTo={returnTo} remember {...offers} />
      return await rendering.send(reply, page, { returnTo, leadsTo })
    } catch (error) {
      return sendAddressStep(reply, { email: typed, returnTo, ...errorsOf(tools, reply, error) })
    }
  })

  // After a reload, or with the link of another language.
  scope.get('/signin/password', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const query = request.url.split('?')[1] ?? ''
    return rendering.redirect(reply, query === '' ? '/signin' : `/signin?${query}`)
  })

  scope.post('/signin/password', forAnyone, async (request, reply) => {
    const { returnTo, leadsTo, target } = destinationOf(request)
    try {
      await signInWith(readForm(passwordForm, request.body), reply)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error, 'password')
      const email = typedField(request.body, 'email')
      if (errors.fields['email'] !== undefined && status === 422 && errors.fields['password'] === undefined) {
        return sendAddressStep(reply, { email, returnTo, errors, status })
      }
      const remember = typedField(request.body, 'remember') === 'true'
      const page = <PasswordStep email={email} returnTo={returnTo} errors={errors} remember={remember} {...offers} />
      return rendering.send(reply, page, { status, returnTo, leadsTo })
    }
    return rendering.redirect(reply, target)
  })

  scope.post('/signin/passkey', forAnyone, async (request, reply) => {
    const { returnTo, target } = destinationOf(request)
    try {
      const { credential } = readForm(assertionForm, request.body)
      const body = { credential, mode: 'session' as const, remember: true }
      const contextOf = ({ email }: { email: string }) => door.contextOf(reply, { email, mode: 'session' })
      const { tokens, context } = await tools.signIn.passkeyLogin.login(body, door.requesterOf(reply), contextOf)
      door.reply(reply, tokens, context)
    } catch (error) {
      const unknownPasskey = isUnknown(error) ? readForm(assertionForm, request.body).credential.id : null
      const shown = errorsOf(tools, reply, error, 'credential')
      return sendAddressStep(reply, { email: '', returnTo, unknownPasskey, ...shown })
    }
    return rendering.redirect(reply, target)
  })

  scope.post('/signin/code', forAnyone, async (request, reply) => {
    const { returnTo } = destinationOf(request)
    const { email } = readForm(addressForm, request.body)
    const wish = { email, mode: 'session' as const, remember: true, locale: rendering.language(request).locale }
    const context = door.contextOf(reply, wish)
    const begun = await tools.signIn.mailedCode.request(wish, context, holdersOf(reply, {}, flowCookie))
    replyWithFlow(reply, begun, flowCookie)
    tools.returnCookie.keep(reply, begun.id, returnTo)
    return rendering.redirect(reply, withReturnTo('/verify', returnTo))
  })

  async function sendAddressStep(
    reply: FastifyReply,
    { status = 200, ...shown }: Omit<AddressStepProps, 'passkey' | 'canRegister' | 'providers'> & { status?: number },
  ) {
    const { returnTo } = shown
    const passkey = await tools.signIn.passkeyLogin.requestOptions()
    // A passkey completes the sign-in from this page.
    const leadsTo = readReturnTo(returnTo)?.origin ?? null
    const page = <AddressStep {...shown} {...{ passkey, canRegister, providers }} />
    return rendering.send(reply, page, { status, returnTo, leadsTo })
  }

  async function signInWith({ email, password, remember }: z.output<typeof passwordForm>, reply: FastifyReply) {
    const body = { email, password, mode: 'session' as const, remember: remember === 'true' }
    const context = door.contextOf(reply, body)
    door.reply(reply, await tools.signIn.login(body, context), context)
  }

  function destinationOf({ body }: FastifyRequest) {
    const returnTo = typedField(body, 'return_to')
    const destination = readReturnTo(returnTo)
    return { returnTo, target: destination?.target ?? '/account', leadsTo: destination?.origin ?? null }
  }
}

/** Whether a passkey is refused because it is not registered: only of these may the browser be told. */
function isUnknown(error: unknown): boolean {
  return error instanceof Problem && error.options.members?.['unknown_credential'] === true
}
