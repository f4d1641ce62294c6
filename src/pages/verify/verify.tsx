import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { requireHolders, type Flow } from '../../features/flows/flows.js'
import type { FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { codeSchema, confirmAddressWith, signInWithCode } from './confirming.js'
import { ConfirmedPage, NothingToVerifyPage, VerifyPage } from './verify-pages.js'

const codeForm = z.object({ code: codeSchema })

/** /verify: the code of a mail, typed in the browser that asked for it. The holder's cookie says which mail. */
export function mountVerify(scope: AppInstance, tools: PageTools): void {
  const { rendering, flows, flowCookie, door, readReturnTo } = tools

  const findHeld = (reply: FastifyReply) => flows.findHeld(requireHolders(reply, {}, flowCookie))

  function sendVerify(
    reply: FastifyReply,
    flow: Flow | null,
    shown: { returnTo: string; isResent?: boolean; errors?: FormErrors; status?: number },
  ) {
    const { status = 200, ...props } = shown
    const email = flow?.email ?? null
    if (flow === null || email === null) return rendering.send(reply, <NothingToVerifyPage />)
    const leadsTo = readReturnTo(shown.returnTo)?.origin ?? null
    const page = <VerifyPage email={email} isUncertain={flow.kind === 'otp'} {...props} />
    return rendering.send(reply, page, { status, leadsTo, returnTo: shown.returnTo })
  }

  scope.get('/verify', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, async (request, reply) => {
    const { return_to: returnTo = '', done } = request.query
    const flow = await findHeld(reply)
    // The code of a reset is typed together with the new password.
    if (flow?.kind === 'reset_password') return rendering.redirect(reply, withReturnTo('/reset', returnTo))
    return sendVerify(reply, flow, { returnTo, isResent: done === 'resent' })
  })

  scope.post('/verify', forAnyone, async (request, reply) => {
    const returnTo = typedField(request.body, 'return_to')
    const target = readReturnTo(returnTo)?.target
    const flow = await findHeld(reply)
    try {
      const presented = { ...readForm(codeForm, request.body), holders: requireHolders(reply, {}, flowCookie) }
      if (flow?.kind === 'otp') await signInWithCode(tools, reply, presented)
      else if ((await confirmAddressWith(tools, reply, presented)) === 'confirmed') {
        return await rendering.send(reply, <ConfirmedPage />)
      }
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      return sendVerify(reply, flow, { returnTo, errors, status })
    }
    return rendering.redirect(reply, target ?? (flow?.kind === 'otp' ? '/account' : '/account?done=verified'))
  })

  scope.post('/verify/resend', forAnyone, async (request, reply) => {
    const returnTo = typedField(request.body, 'return_to')
    readReturnTo(returnTo)
    const flow = await findHeld(reply)
    if (flow !== null) await flows.resend(flow, door.requesterOf(reply))
    const path = flow?.kind === 'reset_password' ? '/reset' : '/verify'
    return rendering.redirect(reply, withReturnTo(path, returnTo, { done: 'resent' }))
  })
}
