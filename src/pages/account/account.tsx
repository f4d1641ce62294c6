import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { nameSchema } from '../../features/accounts/accounts.js'
import { holdersOf, localeMember, replyWithFlow } from '../../features/flows/flows.js'
import { passwordSchema } from '../../features/passwords/passwords.js'
import { signalsOfUser } from '../factors/passkey-signals.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { readForm, typedField } from '../forms/read-form.js'
import { forUsers, forUsersDeleting, pageQuery } from '../page-routes.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { findSocialNews, type SocialNews } from '../social/social-news.js'
import { mountAddress } from './address.js'
import { AccountPage, DeletePage, doneMessages } from './account-pages.js'
import { mountPassword } from './password.js'
import { mountDeviceNames } from './rename-device.js'
import { selfOf } from './self.js'

const nameForm = z.object({ name: z.union([z.literal('').transform(() => null), nameSchema]) })
const languageForm = z.object({ locale: z.union([z.literal('').transform(() => null), localeMember]) })
// Users without a password have none to show.
const deleteForm = z.object({ current_password: passwordSchema.optional() })

/** How many ended sessions the page shows. The API lists all of them. */
const ENDED_SHOWN = 20

/** /account: what the user reads and changes, and their devices. */
export function mountAccount(scope: AppInstance, tools: PageTools): void {
  mountOverview(scope, tools)
  mountAddress(scope, tools)
  mountDeviceNames(scope, tools)
  mountPassword(scope, tools)
  mountDeletion(scope, tools)
}

function mountOverview(scope: AppInstance, tools: PageTools): void {
  const { rendering, account, emailChange, families, flows, flowCookie, door, ownFactors, ownApps, canTrust } = tools
  const providers = tools.shownProviders

  async function sendAccount(
    reply: FastifyReply,
    shown: {
      done?: string
      socialNews?: SocialNews | null
      cursor?: string | null
      typedName?: string
      errors?: FormErrors
      status?: number
    },
  ) {
    const { sub, sid } = claimsOf(reply.request)
    const { done = '', socialNews = null, cursor = null, typedName, errors = noErrors, status = 200 } = shown
    const user = await account.read(sub)
    const pendingEmail = await emailChange.findPending(sub)
    const owned = await ownFactors.list(sub)
    const signals = signalsOfUser(await ownFactors.signals(user))
    const { sessions, nextCursor } = await families.listSessions(sub, { ended: false, cursor })
    const ended = await families.listSessions(sub, { ended: true })
    const apps = await ownApps.list(sub)
    const identities = await tools.ownIdentities.list(sub)
    const page = (
      <AccountPage
        {...{
          user,
          sessions,
          nextCursor,
          errors,
          apps,
          identities,
          providers,
          socialNews,
          currentId: sid,
          done: doneMessages[done] ?? null,
          canMail: flows.sendsMail,
          mailLocales: tools.locales,
          pendingEmail,
          ...owned,
          signals,
          canTrust,
        }}
        {...(typedName !== undefined && { typedName })}
        ended={ended.sessions.slice(0, ENDED_SHOWN)}
      />
    )
    return rendering.send(reply, page, { status })
  }

  scope.get('/account', { ...forUsers, schema: { hide: true, querystring: pageQuery } }, (request, reply) => {
    const { done = '', cursor = null } = request.query
    return sendAccount(reply, { done, socialNews: findSocialNews(request.query, providers), cursor })
  })

  scope.get('/account/name', forUsers, (_request, reply) => rendering.redirect(reply, '/account'))

  scope.post('/account/name', forUsers, async (request, reply) => {
    try {
      await account.changeProfile(claimsOf(request).sub, readForm(nameForm, request.body))
    } catch (error) {
      const { errors, status } = errorsOf(tools, reply, error)
      return sendAccount(reply, { errors, status, typedName: typedField(request.body, 'name') })
    }
    return rendering.redirect(reply, '/account?done=name')
  })

  scope.post('/account/language', forUsers, async (request, reply) => {
    await account.changeProfile(claimsOf(request).sub, readForm(languageForm, request.body))
    return rendering.redirect(reply, '/account?done=language')
  })

  scope.post('/account/confirm-address', forUsers, async (request, reply) => {
    const wish = { mode: 'session' as const, holders: holdersOf(reply, {}, flowCookie) }
    const begun = await tools.signIn.requestVerification(claimsOf(request).sub, wish, door.requesterOf(reply))
    replyWithFlow(reply, begun, flowCookie)
    return rendering.redirect(reply, '/verify')
  })

  scope.post<{ Params: { id: string } }>('/account/sessions/:id/end', forUsers, async (request, reply) => {
    await families.endSession(claimsOf(request).sub, request.params.id, callerOf(request))
    return rendering.redirect(reply, '/account?done=device')
  })

  scope.post<{ Params: { clientId: string } }>('/account/apps/:clientId/end', forUsers, async (request, reply) => {
    await ownApps.end(claimsOf(request).sub, request.params.clientId, callerOf(request))
    return rendering.redirect(reply, '/account?done=app')
  })

  scope.post('/account/end-others', forUsers, async (request, reply) => {
    await families.endOtherSessions(claimsOf(request), callerOf(request))
    return rendering.redirect(reply, '/account?done=others')
  })
}

function mountDeletion(scope: AppInstance, tools: PageTools): void {
  const { rendering, account, cookies } = tools

  async function sendDelete(reply: FastifyReply, shown: { errors?: FormErrors; status?: number }) {
    const { errors = noErrors, status = 200 } = shown
    const { email, passwordHash } = await account.read(claimsOf(reply.request).sub)
    const page = <DeletePage email={email} hasPassword={passwordHash !== null} errors={errors} />
    return rendering.send(reply, page, { status })
  }

  scope.get('/account/delete', forUsersDeleting, (_request, reply) => sendDelete(reply, {}))

  scope.post('/account/delete', forUsersDeleting, async (request, reply) => {
    try {
      const { current_password: password = null } = readForm(deleteForm, request.body)
      await account.remove(selfOf(reply, tools), password)
    } catch (error) {
      return sendDelete(reply, errorsOf(tools, reply, error, 'current_password'))
    }
    cookies.clear(request, reply)
    return rendering.redirect(reply, '/signed-out?done=deleted')
  })
}
