import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { ProblemCode } from '../../wire/problem-codes.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { noteProblem, sendProblem } from '../../platform/http/error-handler.js'
import { toProblem } from '../../platform/http/errors.js'
import { problemHeaders, retryAfterSecondsOf } from '../../platform/http/problem-details.js'
import type { Problem } from '../../platform/problem.js'
import { flowIdOf } from '../../features/flows/flows.js'
import { typedField } from '../forms/read-form.js'
import { ButtonLink } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { sayWait } from '../locales/times.js'
import { isSignedOut, type PageTools } from '../page-tools.js'
import { isUnlistedReturn, ownPageFor, withReturnTo } from '../return-to.js'

/**
 * Answers errors of pages with a page, and leads a visitor who is signed out to the sign-in, with the way back. The log and
 * the metrics name the same problem as they do for the API.
 */
export function answerWithPages(scope: AppInstance, tools: PageTools): void {
  scope.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request.raw.complete)
    noteProblem(problem, request)
    return answerWithPage(tools, reply, problem)
  })
}

/**
 * Answers errors of routes that browsers and others open: with a page where one is asked for, else as the API does. What the
 * routes have to say themselves comes first; null leaves it to the pages of all problems.
 */
export function answerBrowsersWithPages(
  scope: AppInstance,
  tools: PageTools,
  answer: (reply: FastifyReply, problem: Problem) => FastifyReply | null = () => null,
): void {
  scope.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request.raw.complete)
    if (!/\btext\/html\b/i.test(request.headers.accept ?? '')) {
      sendProblem(problem, request, reply)
      return reply
    }
    noteProblem(problem, request)
    return answer(reply, problem) ?? answerWithPage(tools, reply, problem)
  })
}

function answerWithPage(tools: PageTools, reply: FastifyReply, problem: Problem): FastifyReply {
  const { rendering } = tools
  const { request } = reply
  const [path = ''] = request.url.split('?', 1)
  if (problem.code === 'mfa_required') return goToSecondStep(tools, reply, problem)
  if (problem.code === 'insufficient_user_authentication') {
    return rendering.redirect(reply, confirmPathFor(path, problem))
  }
  if (isSignedOut(problem) && path !== '/signin') return rendering.redirect(reply, signInPathFor(path, problem))
  void reply.headers(answerHeadersOf(problem))
  return rendering.send(reply, <ProblemPage problem={problem} requestId={request.id} />, { status: problem.status })
}

/** Keeps the second step of a sign-in in this browser, and leads to its page. */
function goToSecondStep(
  { rendering, flowCookie, returnCookie }: PageTools,
  reply: FastifyReply,
  { options }: Problem,
): FastifyReply {
  const { mfa_token: token } = pendingSchema.parse(options.members)
  flowCookie.add(reply, token)
  const { body } = reply.request
  const link = typedField(body, 'token')
  const returnTo = link === '' ? typedField(body, 'return_to') : returnCookie.find(reply.request, flowIdOf(link))
  return rendering.redirect(reply, withReturnTo('/mfa', returnTo))
}

/** The sign-in that leads back to the page, or to the account page where a form was sent to it. */
function signInPathFor(path: string, { options: { reason } }: Problem): string {
  return withReturnTo('/signin', ownPageFor(path), reason === undefined ? {} : { ended: reason })
}

/** The page on which a signed-in user authenticates again, by one of the methods that suffice, before going on. */
function confirmPathFor(path: string, { options }: Problem): string {
  const { methods } = refusedSchema.parse(options.members ?? {})
  return withReturnTo('/account/confirm', ownPageFor(path), methods.length === 0 ? {} : { methods: methods.join(' ') })
}

const pendingSchema = z.object({ mfa_token: z.string() })
const refusedSchema = z.object({ methods: z.array(z.string()).default([]) })

/** Those of the API's answer that hold for a page too. */
export function answerHeadersOf(problem: Problem): Record<string, string> {
  const { 'retry-after': retryAfter } = problemHeaders(problem)
  return { ...problem.options.headers, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) }
}

function ProblemPage({ problem, requestId }: { problem: Problem; requestId: string }): VNode {
  const { t, locale } = usePage()
  const { title, text } = textsOf(problem)
  return (
    <Layout title={t(title)}>
      <p>{t(text, { when: sayWait(locale, retryAfterSecondsOf(problem) ?? 60) })}</p>
      <ButtonLink path="/account" kind="secondary">
        {t('problem.account')}
      </ButtonLink>
      <p class="hint">{t('problem.reference', { id: requestId })}</p>
    </Layout>
  )
}

const busy = { title: 'problem.busy_title', text: 'problem.busy_text' } as const

/** The texts of the problems that people meet; of the others, they learn that something went wrong. */
const texts: Partial<Record<ProblemCode, { title: MessageKey; text: MessageKey }>> = {
  not_found: { title: 'problem.not_found_title', text: 'problem.not_found_text' },
  cross_site_request: { title: 'problem.form_title', text: 'problem.form_text' },
  rate_limited: { title: 'problem.limited_title', text: 'error.rate_limited' },
  overloaded: busy,
  database_unavailable: busy,
  revocation_stale: busy,
}

function textsOf(problem: Problem): { title: MessageKey; text: MessageKey } {
  if (isUnlistedReturn(problem)) return { title: 'problem.return_title', text: 'problem.return_text' }
  return texts[problem.code] ?? { title: 'problem.title', text: 'problem.text' }
}
