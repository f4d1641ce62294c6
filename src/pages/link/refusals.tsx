import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { z } from 'zod'
import { Problem } from '../../platform/problem.js'
import { noErrors, type FormErrors } from '../forms/form-errors.js'
import { errorsOf, type PageTools } from '../page-tools.js'
import { ElsewherePage, InvalidLinkPage } from './link-pages.js'

/** Shows the form again with what is wrong, or the page for a link that is worth nothing here. */
export function sendRefusal(
  tools: PageTools,
  reply: FastifyReply,
  error: unknown,
  formWith: (errors: FormErrors) => VNode,
  codeField?: 'code' | 'confirm',
): FastifyReply {
  const { rendering, returnCookie } = tools
  const sending = { status: 422, hasAddress: false, leadsTo: returnCookie.leadsTo(reply.request) }
  const needs = needsOf(error)
  if (needs === 'password') return rendering.send(reply, formWith(noErrors), sending)
  if (needs !== null) return rendering.send(reply, <ElsewherePage needs={needs} />, sending)
  const { errors, status } = errorsOf(tools, reply, error, 'password', codeField)
  const isLinkInvalid = error instanceof Problem && error.code === 'flow_invalid' && errors.form !== null
  const page = isLinkInvalid ? <InvalidLinkPage text={errors.form ?? ''} /> : formWith(errors)
  return rendering.send(reply, page, { ...sending, status })
}

/** What a link that was opened elsewhere needs besides; null for any other error. */
function needsOf(error: unknown): 'password' | 'code' | 'sign_in' | null {
  if (!(error instanceof Problem) || error.code !== 'flow_unbound') return null
  const needs: unknown = error.options.members?.['needs']
  const [first] = z.tuple([z.string()]).parse(needs)
  return first === 'password' || first === 'code' ? first : 'sign_in'
}
