// The scripts that Postman runs around a request.

import { STATUS_CODES } from 'node:http'
import type { DescribedAnswer } from './document.js'
import type { Folder, Step } from './step.js'

export interface Script {
  listen: 'prerequest' | 'test'
  script: { type: 'text/javascript'; exec: string[] }
}

/** The statements of a step before its request and after its response. */
export function scriptsOf(step: Step, expected: DescribedAnswer): Script[] {
  const before = step.before === undefined ? [] : [script('prerequest', linesOf(step.before))]
  return [...before, script('test', testsOf(step, expected))]
}

/** Skips a folder, visibly in a run. */
export function skipUnless({ variable, reason }: NonNullable<Folder['needs']>): Script {
  return script('prerequest', [
    `if (!pm.variables.get(${quoted(variable)})) {`,
    `  pm.test.skip(${quoted(reason)}, () => {})`,
    '  pm.execution.skipRequest()',
    '}',
  ])
}

function script(listen: Script['listen'], exec: string[]): Script {
  return { listen, script: { type: 'text/javascript', exec } }
}

function testsOf(step: Step, { status, mediaType, required }: DescribedAnswer): string[] {
  const { keeps = {}, checks = {} } = step
  const readAnswer = mediaType?.endsWith('json') ? ['const answer = pm.response.json()'] : []
  const members = [...new Set([...required, ...Object.values(keeps).map((path) => path.split('.')[0] ?? path)])]
  const expectation = [
    `pm.response.to.have.status(${status})`,
    ...(mediaType === null ? [] : [`pm.expect(pm.response.headers.get('Content-Type')).to.include('${mediaType}')`]),
    ...readAnswer,
    ...(members.length > 0 ? [`pm.expect(answer).to.include.all.keys(${members.map(quoted).join(', ')})`] : []),
    ...refusalExpectation(step, { status, mediaType }),
    ...Object.entries(keeps).map(([name, path]) => `pm.collectionVariables.set(${quoted(name)}, answer.${path})`),
    ...(step.then === undefined ? [] : linesOf(step.then)),
  ]
  return [
    ...test(titleOf(step, status), expectation),
    ...Object.entries(checks).flatMap(([title, assertion]) => [
      '',
      ...test(title, [...readAnswer, ...linesOf(assertion)]),
    ]),
  ]
}

function titleOf({ answers, reason, keeps = {} }: Step, status: number): string {
  if (typeof answers === 'string') return `${status} ${answers}${reason === undefined ? '' : `, because of ${reason}`}`
  const kept = Object.keys(keeps)
  return `${status} ${STATUS_CODES[status]}${kept.length > 0 ? `, keeps ${kept.join(', ')}` : ''}`
}

function refusalExpectation(
  { answers, reason }: Step,
  { status, mediaType }: Pick<DescribedAnswer, 'status' | 'mediaType'>,
): string[] {
  if (typeof answers !== 'string') return []
  if (mediaType !== 'application/problem+json') return [`pm.expect(answer).to.include({ error: ${quoted(answers)} })`]
  const members = [
    `status: ${status}`,
    `code: ${quoted(answers)}`,
    ...(reason === undefined ? [] : [`reason: ${quoted(reason)}`]),
  ]
  return [`pm.expect(answer).to.include({ ${members.join(', ')} })`]
}

function test(title: string, lines: string[]): string[] {
  return [`pm.test(${quoted(title)}, () => {`, ...lines.map((line) => (line === '' ? '' : `  ${line}`)), '})']
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** The lines of a text that is indented with the code around it. */
function linesOf(text: string): string[] {
  const lines = text.replace(/^\n|\n *$/g, '').split('\n')
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(indent))
}
