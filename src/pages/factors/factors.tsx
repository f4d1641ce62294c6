import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import type { Changed } from '../../features/account/account.js'
import { replyWithTokens } from '../../features/browser/browser.js'
import { factorNameSchema } from '../../features/factors/factors.js'
import { selfOf } from '../account/self.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forUsers, forUsersChangingFactors, forUsersLive } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { attestationForm, codeForm } from './factor-forms.js'
import { FactorPage, NewPasskeyPage, NewRecoveryCodesPage, NewTotpPage } from './factor-pages.js'
import { RecoveryCodesPage } from './recovery-codes.js'
import { shownTotpSchema, TotpPage, type ShownTotp } from './totp-page.js'

const nameForm = z.object({ name: factorNameSchema })
const optionalNameForm = z.object({
  name: z.union([z.literal('').transform(() => undefined), factorNameSchema.optional()]),
})

const ADDED = '/account?done=factor_added'

/** /account/factors and /account/recovery-codes: what users do to their own second factors. */
export function mountFactors(scope: AppInstance, tools: PageTools): void {
  mountTotp(scope, tools)
  mountPasskey(scope, tools)
  mountFactor(scope, tools)
  mountRecoveryCodes(scope, tools)
}

/** The session goes on with other tokens; with a first factor come recovery codes, which are shown once. */
function sendAdded(tools: PageTools, reply: FastifyReply, { tokens, recoveryCodes }: Changed): FastifyReply {
  if (tokens !== null) replyWithTokens(reply, tokens, tools)
  if (recoveryCodes === null) return tools.rendering.redirect(reply, ADDED)
  const page = <RecoveryCodesPage codes={recoveryCodes} target={ADDED} />
  return tools.rendering.send(reply, page, { hasAddress: false })
}

function mountTotp(scope: AppInstance, tools: PageTools): void {
  const { rendering, ownFactors } = tools

  scope.get('/account/factors/totp', forUsersChangingFactors, (_request, reply) =>
    rendering.send(reply, <NewTotpPage />),
  )

  scope.post('/account/factors/totp', forUsersChangingFactors, async (request, reply) => {
    try {
      const { name } = readForm(optionalNameForm, request.body)
      return await sendTotp(reply, { totp: await ownFactors.beginTotp(claimsOf(request).sub, name) })
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      return rendering.send(reply, <NewTotpPage errors={errors} />, { status })
    }
  })

  scope.get('/account/factors/totp/confirm', forUsers, (_request, reply) =>
    rendering.redirect(reply, '/account/factors/totp'),
  )

  scope.post('/account/factors/totp/confirm', forUsersLive, async (request, reply) => {
    const totp = readForm(shownTotpSchema, request.body)
    try {
      const { code } = readForm(codeForm, request.body)
      return await sendAdded(tools, reply, await ownFactors.confirmTotp(selfOf(reply, tools), totp.id, code))
    } catch (error) {
      const { t } = rendering.language(request)
      if (error instanceof Problem && error.code === 'not_found') {
        const errors = { fields: {}, form: t('error.enrolment_over') }
        return rendering.send(reply, <NewTotpPage errors={errors} />, { status: 422 })
      }
      return sendTotp(reply, { totp, ...errorsOf(tools, reply, error, 'code') })
    }
  })

  function sendTotp(
    reply: FastifyReply,
    { totp, errors = noErrors, status = 200 }: { totp: ShownTotp; errors?: FormErrors; status?: number },
  ): FastifyReply {
    const page = <TotpPage totp={totp} action="/account/factors/totp/confirm" errors={errors} />
    return rendering.send(reply, page, { status, hasAddress: false })
  }
}

function mountPasskey(scope: AppInstance, tools: PageTools): void {
  const { rendering, ownFactors } = tools

  async function sendNew(reply: FastifyReply, shown: { errors?: FormErrors; status?: number }): Promise<FastifyReply> {
    const { errors = noErrors, status = 200 } = shown
    const options = await ownFactors.passkeyOptions(claimsOf(reply.request).sub)
    return rendering.send(reply, <NewPasskeyPage options={options} errors={errors} />, { status })
  }

  scope.get('/account/factors/passkey', forUsersChangingFactors, (_request, reply) => sendNew(reply, {}))

  scope.post('/account/factors/passkey', forUsersChangingFactors, async (request, reply) => {
    try {
      const { credential } = readForm(attestationForm, request.body)
      const { name } = readForm(optionalNameForm, request.body)
      return await sendAdded(tools, reply, await ownFactors.addPasskey(selfOf(reply, tools), { credential, name }))
    } catch (error) {
      return sendNew(reply, errorsOf(tools, reply, error))
    }
  })
}

function mountFactor(scope: AppInstance, tools: PageTools): void {
  const { rendering, ownFactors } = tools

  async function requireOwn(reply: FastifyReply, id: string) {
    const { factors } = await ownFactors.list(claimsOf(reply.request).sub)
    const factor = factors.find((each) => each.id === id)
    if (factor === undefined) throw new Problem('not_found')
    return factor
  }

  scope.get<{ Params: { id: string } }>('/account/factors/:id', forUsersChangingFactors, async (request, reply) => {
    const { id, name } = await requireOwn(reply, request.params.id)
    return rendering.send(reply, <FactorPage id={id} name={name} />)
  })

  const rename = { path: '/account/factors/:id/name', done: 'factor_renamed' }
  scope.post<{ Params: { id: string } }>(rename.path, forUsersChangingFactors, async (request, reply) => {
    const { id } = await requireOwn(reply, request.params.id)
    try {
      await ownFactors.rename(selfOf(reply, tools), id, readForm(nameForm, request.body).name)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      const page = <FactorPage id={id} name={typedField(request.body, 'name')} errors={errors} />
      return rendering.send(reply, page, { status })
    }
    return rendering.redirect(reply, `/account?done=${rename.done}`)
  })

  const remove = { path: '/account/factors/:id/remove', done: 'factor_removed' }
  scope.post<{ Params: { id: string } }>(remove.path, forUsersChangingFactors, async (request, reply) => {
    const { id, name } = await requireOwn(reply, request.params.id)
    try {
      const { tokens } = await ownFactors.remove(selfOf(reply, tools), id)
      if (tokens !== null) replyWithTokens(reply, tokens, tools)
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      return rendering.send(reply, <FactorPage id={id} name={name} errors={errors} />, { status })
    }
    return rendering.redirect(reply, `/account?done=${remove.done}`)
  })
}

function mountRecoveryCodes(scope: AppInstance, tools: PageTools): void {
  const { rendering, ownFactors } = tools

  scope.get('/account/recovery-codes', forUsersChangingFactors, (_request, reply) =>
    rendering.send(reply, <NewRecoveryCodesPage />),
  )

  scope.post('/account/recovery-codes', forUsersChangingFactors, async (_request, reply) => {
    const codes = await ownFactors.replaceRecoveryCodes(selfOf(reply, tools))
    return rendering.send(reply, <RecoveryCodesPage codes={codes} target="/account" />, { hasAddress: false })
  })
}
