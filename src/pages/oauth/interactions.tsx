import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import type { OpenIdProvider } from '../../features/oauth/oauth.js'
import { typedField } from '../forms/read-form.js'
import { forAnyone, forUsers } from '../page-routes.js'
import { findClaims, type PageTools } from '../page-tools.js'
import { withReturnTo } from '../return-to.js'
import { ConsentPage, ContinuePage, InteractionOverPage } from './oauth-pages.js'

const params = z.object({ uid: z.string() })

/**
 * What users do before a client gets its answer. /oauth/interaction/{uid}: the sign-in, on the pages that there are for it,
 * and the way back; /consent/{uid}: what a client that is not first-party asks for.
 */
export function mountInteractions(scope: AppInstance, tools: PageTools, { interactions }: OpenIdProvider): void {
  const { rendering, account } = tools

  scope.get(
    '/oauth/interaction/:uid',
    { ...forAnyone, schema: { hide: true, params } },
    async (request, reply): Promise<FastifyReply> => {
      const login = await interactions.login(request, reply, await findClaims(tools, request, reply))
      if (login === null) return sendOver(reply)
      if (login.step === 'done') return sendContinue(reply, login)
      const here = `/oauth/interaction/${request.params.uid}`
      const language: Record<string, string> = login.uiLocales === null ? {} : { ui_locales: login.uiLocales }
      if (login.step === 'reauthenticate') {
        return rendering.redirect(reply, withReturnTo('/account/confirm', here, language))
      }
      const { isAnother, loginHint } = login
      const wishes = { ...(isAnother && { prompt: 'login' }), ...(loginHint !== null && { login_hint: loginHint }) }
      return rendering.redirect(reply, withReturnTo('/signin', here, { ...language, ...wishes }))
    },
  )

  scope.get(
    '/consent/:uid',
    { ...forUsers, schema: { hide: true, params } },
    async (request, reply): Promise<FastifyReply> => {
      const claims = claimsOf(request)
      const asked = await interactions.consent(request, reply, claims)
      if (asked === null) return sendOver(reply)
      const { email } = await account.read(claims.sub)
      const page = <ConsentPage {...asked} action={pathOf(request)} email={email} />
      return rendering.send(reply, page, { isPopup: true })
    },
  )

  scope.post(
    '/consent/:uid',
    { ...forUsers, schema: { hide: true, params } },
    async (request, reply): Promise<FastifyReply> => {
      const isGranted = typedField(request.body, 'decision') === 'allow'
      const decided = await interactions.decide(request, reply, claimsOf(request), isGranted)
      return decided === null ? sendOver(reply) : sendContinue(reply, decided)
    },
  )

  function sendContinue(
    reply: FastifyReply,
    { isForDevice, ...shown }: { clientName: string; target: string; isForDevice: boolean },
  ): FastifyReply {
    if (isForDevice) return rendering.redirect(reply, shown.target)
    return rendering.send(reply, <ContinuePage {...shown} />, { hasAddress: false, isPopup: true })
  }

  function sendOver(reply: FastifyReply): FastifyReply {
    return rendering.send(reply, <InteractionOverPage />, { status: 400, isPopup: true })
  }
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url
}
