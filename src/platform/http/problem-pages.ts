import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import { Problem } from '../problem.js'
import { STRICT_CSP } from './security-headers.js'
import type { AppInstance } from './app-instance.js'

const style = `
:root { color-scheme: light dark }
body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem }
dt { font-weight: 600; margin-top: 1rem }
dd { margin: 0 }
`
// A page may use this one style sheet and nothing else.
const csp = `${STRICT_CSP}; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** Serves the pages that the member `type` of every problem points to. */
export function mountProblemPages(app: AppInstance): void {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': csp,
    'cache-control': 'public, max-age=3600',
  }
  const config = { access: 'public' as const }

  app.get('/problems', { config, schema: { hide: true } }, (_request, reply) =>
    reply.headers(headers).send(indexPage(app.basePath)),
  )

  const params = z.object({ code: z.string() })
  app.get('/problems/:code', { config, schema: { hide: true, params } }, (request, reply) => {
    const { code } = request.params
    if (!isProblemCode(code)) throw new Problem('not_found')
    return reply.headers(headers).send(problemPage(code, app.basePath))
  })
}

function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problemCodes, text)
}

function problemPage(code: ProblemCode, basePath: string): string {
  const { status, title, advice } = problemCodes[code]
  return page(
    title,
    `<dl>
<dt>Code</dt><dd><code>${code}</code></dd>
<dt>Status</dt><dd>${status} ${STATUS_CODES[status] ?? ''}</dd>
<dt>What to do</dt><dd>${escapeHtml(advice)}</dd>
</dl>
<p><a href="${basePath}/problems">All problems</a></p>`,
  )
}

function indexPage(basePath: string): string {
  const entries = Object.entries(problemCodes).map(
    ([code, { status, title }]) =>
      `<dt><a href="${basePath}/problems/${code}"><code>${code}</code></a> (${status})</dt><dd>${escapeHtml(title)}</dd>`,
  )
  return page('Problems', `<dl>\n${entries.join('\n')}\n</dl>`)
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} – Sallyport</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${content}
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
