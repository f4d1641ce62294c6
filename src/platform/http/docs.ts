import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../problem.js'
import { prepareBody, type PreparedBody } from './prepared-body.js'

export interface DocsOptions {
  /** The path of PUBLIC_URL, under which the page finds what it loads. */
  basePath: string
  /** The OpenAPI document. It is asked for once, after all routes are mounted. */
  describe: () => object
}

const JSON_TYPE = 'application/json; charset=utf-8'
const SCRIPT_TYPE = 'text/javascript; charset=utf-8'

/** What the page loads of Swagger UI, from the folder of the package. */
const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
  'favicon-16x16.png': 'image/png',
  'swagger-ui-bundle.js': SCRIPT_TYPE,
}

// Everything comes from this server. The page's scripts talk to it alone.
const pageCsp = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Serves the API's document to tools, and a page to try it: neither is made anew for each request. */
export function mountDocs(app: FastifyInstance, { basePath, describe }: DocsOptions): void {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui')), 'static')
  const json = (cacheControl: string, describe: () => object) =>
    prepareBody({ type: JSON_TYPE, cacheControl, make: () => JSON.stringify(describe()) })
  const sendPage = prepareBody({
    type: 'text/html; charset=utf-8',
    cacheControl: 'no-cache',
    headers: { 'content-security-policy': pageCsp },
    make: () => page(`${basePath}/docs/static`),
  })
  // They change with a release alone, and their tags tell when.
  const asset = (type: string, make: PreparedBody['make']) =>
    prepareBody({ type, make, cacheControl: 'public, max-age=3600' })
  const senders = new Map([['start.js', asset(SCRIPT_TYPE, () => startScript(`${basePath}/docs/json`))]])
  for (const [name, type] of Object.entries(assets))
    senders.set(
      name,
      asset(type, () => readFile(join(folder, name))),
    )

  const options = { config: { access: 'public' as const }, schema: { hide: true } }
  app.get('/openapi.json', options, json('no-store', describe))
  // Trying it means this server, under whatever name the page was opened.
  app.get(
    '/docs/json',
    options,
    json('no-cache', () => ({ ...describe(), servers: [{ url: basePath || '/' }] })),
  )
  app.get('/docs', options, sendPage)
  app.get('/docs/', options, sendPage)
  app.get<{ Params: { name: string } }>('/docs/static/:name', options, (request, reply) => {
    const send = senders.get(request.params.name)
    if (!send) throw new Problem('not_found')
    return send(request, reply)
  })
}

function page(statics: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sallyport API</title>
<link rel="stylesheet" href="${statics}/swagger-ui.css">
<link rel="stylesheet" href="${statics}/index.css">
<link rel="icon" type="image/png" href="${statics}/favicon-32x32.png" sizes="32x32">
<link rel="icon" type="image/png" href="${statics}/favicon-16x16.png" sizes="16x16">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${statics}/swagger-ui-bundle.js"></script>
<script src="${statics}/start.js"></script>
</body>
</html>
`
}

function startScript(url: string): string {
  const options = {
    ...{ url, dom_id: '#swagger-ui', layout: 'BaseLayout', deepLinking: true, validatorUrl: null },
    ...{ tryItOutEnabled: true, displayRequestDuration: true },
  }
  return `SwaggerUIBundle(Object.assign(${JSON.stringify(options)}, { presets: [SwaggerUIBundle.presets.apis] }))\n`
}
