import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { emailSchema } from '../../features/accounts/accounts.js'
import {
  confirmationSchema,
  flowIdOf,
  holdersOf,
  linkTokenSchema,
  presentedOf,
  replyWithFlow,
  requireHolders,
  type BegunFlow,
} from '../../features/flows/flows.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import type { FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { sendRefusal } from '../link/refusals.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { codeSchema } from '../verify/confirming.js'
import { NothingToVerifyPage } from '../verify/verify-pages.js'
import {
  ForgotPage,
  NotMeLink,
  RegistrationCancelledPage,
  ResetLink,
  ResetPage,
  ResetStoppedPage,
  StopLink,
  UndoLink,
} from './recovery-pages.js'

const addressForm = z.object({ email: emailSchema })
const resetForm = z.object({ code: codeSchema, new_password: passwordSchema })
const resetLinkForm = z.object({ token: linkTokenSchema, new_password: passwordSchema })
const disownForm = z.object({ token: linkTokenSchema, confirm: confirmationSchema })

/** Sign-in with the new password, and then to where the visitor was going. */
const signInAfter = (returnTo: string) => withReturnTo('/signin', returnTo, { done: 'reset' })

/** /forgot and /reset, and the pages of links that give an account back to its owner. */
export function mountRecovery(scope: AppInstance, tools: PageTools): void {
  mountForgot(scope, tools)
  mountReset(scope, tools)
  mountResetLink(scope, tools)
  mountDisowning(scope, tools)
  mountStop(scope, tools)
}

function mountForgot(scope: AppInstance, tools: PageTools): void {
  const { rendering, passwordReset, devices, door, flowCookie, readReturnTo, returnCookie } = tools

  scope.get('/forgot', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const { return_to: returnTo = '' } = request.query
    readReturnTo(returnTo)
    return rendering.send(reply, <ForgotPage email="" returnTo={returnTo} />, { returnTo })
  })

  scope.post('/forgot', forAnyone, async (request, reply) => {
    const returnTo = typedField(request.body, 'return_to')
    readReturnTo(returnTo)
    try {
      const { email } = readForm(addressForm, request.body)
      const { device, ...context } = door.contextOf(reply, { email, mode: 'session' })
      const isKnownDevice = device !== null && devices.claims(device, email)
      const { locale } = rendering.language(request)
      const holders = holdersOf(reply, {}, flowCookie)
      const body = { email, mode: 'session' as const, locale }
      const begun = await passwordReset.forgotPassword(body, { ...context, holders, isKnownDevice })
      replyWithFlow(reply, begun, flowCookie)
      returnCookie.keep(reply, begun.id, returnTo)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const page = <ForgotPage email={typedField(request.body, 'email')} returnTo={returnTo} errors={errors} />
      return rendering.send(reply, page, { status, returnTo })
    }
    return rendering.redirect(reply, withReturnTo('/reset', returnTo))
  })
}

function mountReset(scope: AppInstance, tools: PageTools): void {
  const { rendering, flows, flowCookie, passwordReset, door, readReturnTo } = tools

  async function sendReset(
    reply: FastifyReply,
    { status = 200, ...shown }: { returnTo: string; isResent?: boolean; errors?: FormErrors; status?: number },
  ) {
    const flow = await flows.findHeld(requireHolders(reply, {}, flowCookie))
    const email = flow?.kind === 'reset_password' ? flow.email : null
    const page = email === null ? <NothingToVerifyPage /> : <ResetPage email={email} {...shown} />
    return rendering.send(reply, page, { status, returnTo: shown.returnTo })
  }

  scope.get('/reset', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const { return_to: returnTo = '', done } = request.query
    readReturnTo(returnTo)
    return sendReset(reply, { returnTo, isResent: done === 'resent' })
  })

  scope.post('/reset', forAnyone, async (request, reply) => {
    const returnTo = typedField(request.body, 'return_to')
    readReturnTo(returnTo)
    try {
      const { code, new_password: password } = readForm(resetForm, request.body)
      const presented = presentedOf(reply, { code }, flowCookie)
      await passwordReset.resetPassword(presented, password, door.requesterOf(reply))
    } catch (error) {
      return sendReset(reply, { returnTo, ...errorsOf(tools, reply, error) })
    }
    return rendering.redirect(reply, signInAfter(returnTo))
  })
}

function mountResetLink(scope: AppInstance, tools: PageTools): void {
  const { rendering, flowCookie, passwordReset, door, returnCookie } = tools
  scope.post('/link/reset-password', forAnyone, async (request, reply) => {
    try {
      const { token, new_password: password } = readForm(resetLinkForm, request.body)
      const presented = presentedOf(reply, { token }, flowCookie)
      await passwordReset.resetPassword(presented, password, door.requesterOf(reply))
    } catch (error) {
      return sendRefusal(tools, reply, error, (errors) => (
        <ResetLink token={typedField(request.body, 'token')} errors={errors} />
      ))
    }
    const flowId = flowIdOf(typedField(request.body, 'token'))
    return rendering.redirect(reply, signInAfter(returnCookie.find(request, flowId)))
  })
}

function mountDisowning(scope: AppInstance, tools: PageTools): void {
  const { rendering, disowning, flowCookie, door } = tools
  const actions = {
    'undo-email-change': { Page: UndoLink, act: disowning.undoEmailChange },
    'not-me': { Page: NotMeLink, act: disowning.notMe },
  }
  for (const [page, { Page, act }] of Object.entries(actions)) {
    scope.post(`/link/${page}`, forAnyone, async (request, reply) => {
      let begun: BegunFlow | null
      try {
        const { locale } = rendering.language(request)
        const body = { ...readForm(disownForm, request.body), mode: 'session' as const, locale }
        begun = await act(body, door.requesterOf(reply))
      } catch (error) {
        const form = (errors: FormErrors) => <Page token={typedField(request.body, 'token')} errors={errors} />
        return sendRefusal(tools, reply, error, form, 'confirm')
      }
      if (begun === null) return rendering.send(reply, <RegistrationCancelledPage />, { hasAddress: false })
      replyWithFlow(reply, begun, flowCookie)
      return rendering.redirect(reply, '/reset')
    })
  }
}

function mountStop(scope: AppInstance, tools: PageTools): void {
  const { rendering, disowning, door } = tools
  scope.post('/link/stop-factors-reset', forAnyone, async (request, reply) => {
    try {
      await disowning.stopFactorsReset(readForm(disownForm, request.body), door.requesterOf(reply))
    } catch (error) {
      const form = (errors: FormErrors) => <StopLink token={typedField(request.body, 'token')} errors={errors} />
      return sendRefusal(tools, reply, error, form, 'confirm')
    }
    return rendering.send(reply, <ResetStoppedPage />, { hasAddress: false })
  })
}
