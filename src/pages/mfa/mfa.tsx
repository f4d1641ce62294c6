import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { Problem } from '../../platform/problem.js'
import { holdersOf, requireHolders, type Flow } from '../../features/flows/flows.js'
import type { PendingStep, SignedInTwice } from '../../features/sign-in/sign-in.js'
import { assertionForm, attestationForm, codeForm, recoveryCodeForm } from '../factors/factor-forms.js'
import { RecoveryCodesPage } from '../factors/recovery-codes.js'
import { shownTotpSchema, TotpPage, type ShownTotp } from '../factors/totp-page.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forAnyone, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { EnrollPage, MfaOverPage, MfaPage } from './mfa-pages.js'

/**
 * /mfa: the second step of a sign-in. Its token is in the cookie of flows: the page can be reloaded and opened in another
 * language, and the token is in no page.
 */
export function mountMfa(scope: AppInstance, tools: PageTools): void {
  mountShow(scope, tools)
  mountEnroll(scope, tools)
}

/** A second step that this browser holds. */
interface Held extends PendingStep {
  token: string
}

/** The second step that this browser has begun last; null where none is open. */
async function findHeld({ signIn, flowCookie }: PageTools, reply: FastifyReply): Promise<Held | null> {
  for (const token of holdersOf(reply, {}, flowCookie)) {
    try {
      return { token, ...(await signIn.secondFactor.describe(token)) }
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'flow_invalid') throw error
    }
  }
  return null
}

interface Shown {
  returnTo: string
  byRecoveryCode?: boolean
  errors?: FormErrors
  status?: number
}

/** The page that the second step is at. */
async function sendStep(tools: PageTools, reply: FastifyReply, shown: Shown): Promise<FastifyReply> {
  const { rendering, signIn, readReturnTo, canTrust } = tools
  const { returnTo, byRecoveryCode = false, errors = noErrors, status = 200 } = shown
  const sending = { status, returnTo, leadsTo: readReturnTo(returnTo)?.origin ?? null }
  const held = await findHeld(tools, reply)
  if (held === null) return rendering.send(reply, <MfaOverPage returnTo={returnTo} />, { ...sending, status: 422 })
  if (held.enrolls) {
    const passkey = await signIn.secondFactor.newPasskeyOptions(held.token)
    return rendering.send(reply, <EnrollPage returnTo={returnTo} passkey={passkey} errors={errors} />, sending)
  }
  const hasPasskey = held.methods.includes('passkey')
  const passkey = hasPasskey && !byRecoveryCode ? await signIn.secondFactor.passkeyOptions(held.token) : null
  const hasTotp = held.methods.includes('totp')
  const props = { returnTo, hasTotp, passkey, canTrust, byRecoveryCode, errors }
  return rendering.send(reply, <MfaPage {...props} />, sending)
}

function mountShow(scope: AppInstance, tools: PageTools): void {
  const { signIn } = tools
  const query = pageQuery.extend({ method: z.string().optional() })

  scope.get('/mfa', { ...forAnyone, schema: { hide: true, querystring: query } }, (request, reply) => {
    const { return_to: returnTo = '', method } = request.query
    return sendStep(tools, reply, { returnTo, byRecoveryCode: method === 'recovery_code' })
  })

  scope.post('/mfa', forAnyone, async (request, reply) => {
    const { body } = request
    const field = fieldOf(body)
    const target = targetOf(tools, request)
    try {
      const presented = readForm(forms[field], body)
      const signedIn = await signIn.secondFactor.show(
        await requireToken(tools, reply),
        presented,
        contextIn(tools, reply),
      )
      finish(tools, reply, signedIn, { trusts: typedField(body, 'trust_device') === 'true' })
    } catch (error) {
      const shown = { returnTo: target.returnTo, byRecoveryCode: field === 'recovery_code' }
      return sendStep(tools, reply, { ...shown, ...stepErrors(tools, reply, error, field) })
    }
    return tools.rendering.redirect(reply, target.target)
  })
}

function mountEnroll(scope: AppInstance, tools: PageTools): void {
  const { rendering, signIn } = tools

  // After a reload, or with the link of another language.
  for (const path of ['/mfa/totp', '/mfa/totp/confirm', '/mfa/passkey']) {
    scope.get(path, forAnyone, (_request, reply) => rendering.redirect(reply, '/mfa'))
  }

  scope.post('/mfa/totp', forAnyone, async (request, reply) => {
    const { returnTo } = targetOf(tools, request)
    try {
      const totp = await signIn.secondFactor.beginTotp(await requireToken(tools, reply), undefined)
      return await sendTotp(reply, { totp, returnTo })
    } catch (error) {
      return sendStep(tools, reply, { returnTo, ...stepErrors(tools, reply, error, 'code') })
    }
  })

  scope.post('/mfa/totp/confirm', forAnyone, async (request, reply) => {
    const { returnTo, target } = targetOf(tools, request)
    const totp = readForm(shownTotpSchema, request.body)
    try {
      const { code } = readForm(codeForm, request.body)
      const token = await requireToken(tools, reply)
      const signedIn = await signIn.secondFactor.confirmTotp(token, code, contextIn(tools, reply))
      return await sendEnrolled(reply, signedIn, target)
    } catch (error) {
      const { isOver, ...shown } = stepErrors(tools, reply, error, 'code')
      return isOver ? sendStep(tools, reply, { returnTo, ...shown }) : sendTotp(reply, { totp, returnTo, ...shown })
    }
  })

  scope.post('/mfa/passkey', forAnyone, async (request, reply) => {
    const { returnTo, target } = targetOf(tools, request)
    try {
      const { credential } = readForm(attestationForm, request.body)
      const token = await requireToken(tools, reply)
      const signedIn = await signIn.secondFactor.addPasskey(token, { credential }, contextIn(tools, reply))
      return await sendEnrolled(reply, signedIn, target)
    } catch (error) {
      return sendStep(tools, reply, { returnTo, ...stepErrors(tools, reply, error, 'credential') })
    }
  })

  function sendTotp(
    reply: FastifyReply,
    shown: { totp: ShownTotp; returnTo: string; errors?: FormErrors; status?: number },
  ): FastifyReply {
    const { totp, returnTo, errors = noErrors, status = 200 } = shown
    const hidden = { return_to: returnTo }
    const page = <TotpPage totp={totp} action="/mfa/totp/confirm" hidden={hidden} errors={errors} />
    return rendering.send(reply, page, { status, hasAddress: false })
  }

  function sendEnrolled(reply: FastifyReply, signedIn: SignedInTwice, target: string): FastifyReply {
    finish(tools, reply, signedIn, { trusts: false })
    const page = <RecoveryCodesPage codes={signedIn.recoveryCodes ?? []} target={target} />
    return rendering.send(reply, page, { hasAddress: false })
  }
}

const forms = {
  code: codeForm,
  recovery_code: recoveryCodeForm,
  credential: assertionForm,
} as const

type FactorField = keyof typeof forms

/** Which factor a form shows. */
function fieldOf(body: unknown): FactorField {
  if (typedField(body, 'credential') !== '') return 'credential'
  return typeof body === 'object' && body !== null && 'recovery_code' in body ? 'recovery_code' : 'code'
}

async function requireToken(tools: PageTools, reply: FastifyReply): Promise<string> {
  // The cookie is all that the request has.
  requireHolders(reply, {}, tools.flowCookie)
  const held = await findHeld(tools, reply)
  if (held === null) throw new Problem('flow_invalid', { reason: 'expired' })
  return held.token
}

function contextIn({ door }: PageTools, reply: FastifyReply) {
  return ({ email, mode }: Flow) => door.contextOf(reply, { email: email ?? '', mode })
}

function finish(
  { door }: PageTools,
  reply: FastifyReply,
  { tokens, context }: SignedInTwice,
  options: { trusts: boolean },
): void {
  door.reply(reply, tokens, context, options)
}

function targetOf({ readReturnTo }: PageTools, { body }: FastifyRequest): { returnTo: string; target: string } {
  const returnTo = typedField(body, 'return_to')
  return { returnTo, target: readReturnTo(returnTo)?.target ?? '/account' }
}

/** What the form says about an error of the second step, and whether the step is over. */
function stepErrors(
  tools: PageTools,
  reply: FastifyReply,
  error: unknown,
  field: FactorField,
): { errors: FormErrors; status: number; isOver: boolean } {
  const isInvalid = error instanceof Problem && error.code === 'flow_invalid'
  if (!isInvalid) return { ...errorsOf(tools, reply, error), isOver: false }
  const { t } = tools.rendering.language(reply.request)
  const left: unknown = error.options.members?.['attempts_left']
  if (error.options.reason !== 'wrong_code') return { errors: noErrors, status: 422, isOver: true }
  const text = t('error.factor_wrong', { left: typeof left === 'number' ? left : '' })
  return { errors: { fields: { [field]: text }, form: null }, status: 422, isOver: false }
}
