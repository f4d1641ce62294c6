import type { FastifyReply } from 'fastify'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Problem } from '../../platform/problem.js'
import { RefusedReturn, type FurtherSteps } from '../../features/sign-in/sign-in.js'
import { linkPathOf } from '../identities/identity-pages.js'
import type { PageTools } from '../page-tools.js'
import { answerBrowsersWithPages, answerHeadersOf } from '../problems/problems.js'
import { linkedPath, withReturnTo } from '../return-to.js'
import { refusalPageOf } from './refusal-pages.js'

/** Mounts a browser's way to other providers and back, which leads to these pages where more is asked for. */
export type MountSocial = (scope: AppInstance, steps?: FurtherSteps) => void

/** The way to other providers and back: what is refused on it is answered with pages, and second steps are ours. */
export function mountSocialPages(server: AppInstance, tools: PageTools, mount: MountSocial): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerBrowsersWithPages(scope, tools, (reply, problem) => answerRefusal(tools, reply, problem))
    mount(scope, {
      secondFactor: (returnTo) => withReturnTo('/mfa', returnTo),
      confirmation(reply, flow, returnTo) {
        tools.returnCookie.keep(reply, flow.id, returnTo)
        return withReturnTo('/verify', returnTo)
      },
      denial(returnTo, provider) {
        if (returnTo === linkedPath) return `/account?${newsOf('link_denied', provider)}`
        // An application is told at its own address.
        return returnTo.startsWith('/') ? withReturnTo('/signin', returnTo, { social: 'denied', provider }) : null
      },
    })
    done()
  })
}

const newsOf = (social: string, provider: string) => new URLSearchParams({ social, provider }).toString()

/** The answer to what is refused on the way; null for a problem that is not about providers. */
function answerRefusal(tools: PageTools, reply: FastifyReply, problem: Problem): FastifyReply | null {
  const { rendering, shownProviders } = tools
  const id = providerIdOf(reply)
  const provider = shownProviders.find((each) => each.id === id)
  if (provider === undefined) return null
  const returnTo = returnToOf(tools, reply, problem)
  if (problem.code === 'identity_link_required') return goToSignIn(tools, reply, { problem, provider: provider.id })
  const page = refusalPageOf(problem, { provider, returnTo })
  if (page === null) return null
  void reply.headers(answerHeadersOf(problem))
  return rendering.send(reply, page, { status: problem.status, hasAddress: false })
}

/**
 * An account has the address already: its owner signs in the way they did before, and goes on to the page that links the
 * provider. Another session in this browser is not asked, which may be of another user.
 */
function goToSignIn(
  { rendering }: PageTools,
  reply: FastifyReply,
  { problem, provider }: { problem: Problem; provider: string },
): FastifyReply {
  const email = problem.options.members?.['email']
  const hint: Record<string, string> = typeof email === 'string' ? { login_hint: email } : {}
  const others = { prompt: 'login', social: 'link_required', provider, ...hint }
  return rendering.redirect(reply, withReturnTo('/signin', linkPathOf(provider), others))
}

function providerIdOf({ request }: FastifyReply): string {
  const { params } = request
  const isNamed = typeof params === 'object' && params !== null && 'provider' in params
  return isNamed && typeof params.provider === 'string' ? params.provider : ''
}

/** Where the browser was going: as it left, or as it comes back. Empty where that is not known, or not allowed. */
function returnToOf({ readReturnTo }: PageTools, { request }: FastifyReply, problem: Problem): string {
  const query = new URLSearchParams(request.url.split('?')[1])
  const asked = query.has('link') ? linkedPath : (query.get('return_to') ?? '')
  const returnTo = problem instanceof RefusedReturn ? problem.returnTo : asked
  try {
    return readReturnTo(returnTo) === null ? '' : returnTo
  } catch {
    return ''
  }
}
