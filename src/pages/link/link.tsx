import type { FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { Problem } from '../../platform/problem.js'
import { nameSchema } from '../../features/accounts/accounts.js'
import { flowIdOf, holdersOf, linkTokenSchema } from '../../features/flows/flows.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forAnyone } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'
import { confirmAddressWith, signInWithCode } from '../verify/confirming.js'
import { ConfirmedPage } from '../verify/verify-pages.js'
import { InvitationLink, OtpLink, VerifyEmailByPassword, VerifyEmailLink, type LinkPageProps } from './link-pages.js'
import { NotMeLink, ResetLink, StopLink, UndoLink } from '../recovery/recovery-pages.js'
import { sendRefusal } from './refusals.js'
import { linkPageOf, linkTokenOf } from './link-token.js'

const linkForm = z.object({ token: linkTokenSchema })
const verifyForm = linkForm.extend({ password: passwordSchema.optional() })
const invitationForm = linkForm.extend({
  password: passwordSchema,
  name: z.union([z.literal('').transform(() => undefined), nameSchema.optional()]),
})

/** The pages of the links in mails, by the last part of their path. */
const pages: Readonly<Record<string, (props: LinkPageProps) => VNode>> = {
  'verify-email': VerifyEmailLink,
  otp: OtpLink,
  invitation: InvitationLink,
  'reset-password': ResetLink,
  'undo-email-change': UndoLink,
  'not-me': NotMeLink,
  'stop-factors-reset': StopLink,
}

/** /link/…: the pages that the links in mails open. Opening one changes nothing; its form does. */
export function mountLinks(scope: AppInstance, tools: PageTools): void {
  const { rendering, returnCookie } = tools
  scope.get<{ Params: { page: string } }>('/link/:page', forAnyone, (request, reply) => {
    const Page = pages[linkPageOf(request.params.page)]
    if (Page === undefined) throw new Problem('not_found')
    return rendering.send(reply, <Page token={linkTokenOf(request)} />, {
      hasAddress: false,
      leadsTo: returnCookie.leadsTo(request),
    })
  })
  mountVerifyEmail(scope, tools)
  mountOtp(scope, tools)
  mountInvitation(scope, tools)
}

function mountVerifyEmail(scope: AppInstance, tools: PageTools): void {
  const { rendering, flowCookie } = tools
  scope.post('/link/verify-email', forAnyone, async (request, reply) => {
    try {
      const { token, password } = readForm(verifyForm, request.body)
      const holders = holdersOf(reply, {}, flowCookie)
      const confirmed = await confirmAddressWith(tools, reply, { token, holders, password })
      if (confirmed === 'confirmed') return await rendering.send(reply, <ConfirmedPage />, { hasAddress: false })
    } catch (error) {
      return sendRefusal(tools, reply, error, (errors) => (
        <VerifyEmailByPassword token={typedField(request.body, 'token')} errors={errors} />
      ))
    }
    return rendering.redirect(reply, targetOf(tools, request) ?? '/account?done=verified')
  })
}

function mountOtp(scope: AppInstance, tools: PageTools): void {
  const { rendering, flowCookie } = tools
  scope.post('/link/otp', forAnyone, async (request, reply) => {
    try {
      const { token } = readForm(linkForm, request.body)
      await signInWithCode(tools, reply, { token, holders: holdersOf(reply, {}, flowCookie) })
    } catch (error) {
      return sendRefusal(tools, reply, error, () => <OtpLink token={typedField(request.body, 'token')} />)
    }
    return rendering.redirect(reply, targetOf(tools, request) ?? '/account')
  })
}

function mountInvitation(scope: AppInstance, tools: PageTools): void {
  const { rendering, signIn, door } = tools
  scope.post('/link/invitation', forAnyone, async (request, reply) => {
    try {
      const { token, password, name } = readForm(invitationForm, request.body)
      const wish = { mode: 'session' as const, remember: true }
      const context = door.contextOf(reply, { email: '', mode: 'session' })
      const body = { token, password, ...wish, ...(name !== undefined && { name }) }
      door.reply(reply, await signIn.acceptInvitation(body, context), context)
    } catch (error) {
      const typed = { token: typedField(request.body, 'token'), name: typedField(request.body, 'name') }
      return sendRefusal(tools, reply, error, (errors) => <InvitationLink {...typed} errors={errors} />)
    }
    return rendering.redirect(reply, '/account')
  })
}

/** Where the visitor was going when they asked for the mail; null where they were going nowhere else, or in another browser. */
function targetOf({ returnCookie, readReturnTo }: PageTools, request: FastifyRequest): string | null {
  const returnTo = returnCookie.find(request, flowIdOf(typedField(request.body, 'token')))
  return readReturnTo(returnTo)?.target ?? null
}
