// A relying party on a framework of its own packages: test/relying-parties has one folder for each.

import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newClientSchema } from '../../src/features/clients/clients.js'
import { installPackages } from '../../scripts/install-packages.js'
import type { Test } from './app.js'
import { listen } from './listen.js'
import { signInOn, type Provider } from './relying-party.js'
import { createWebBrowser, type WebPage } from './web-browser.js'

/** What `createApp` of such a folder is given. */
export interface ApplicationSettings {
  issuer: string
  /** The origin of the application. */
  url: string
  clientId: string
  clientSecret: string
  /** Of the application's own cookies. */
  secret: string
}

/** How an application is registered and served. */
export interface ApplicationOptions<App> {
  /** Its folder in test/relying-parties. */
  folder: string
  /** The path to which the browser comes back. */
  callback: string
  /** The path that is told of ended sessions. */
  backchannelLogout?: string
  pkce?: 'optional'
  /** Makes a listener of what `createApp` returned, if it is none. */
  serve?: (app: App) => RequestListener
}

/** Registers the application of a folder as a client, with paths as its addresses, and serves it. */
export async function startApplication<App = RequestListener>(
  t: Test,
  { app, issuer }: Provider,
  { folder, serve = (app) => app as RequestListener, ...metadata }: ApplicationOptions<App>,
): Promise<{ url: string; clientId: string }> {
  const place = fileURLToPath(new URL(`../relying-parties/${folder}`, import.meta.url))
  installPackages(place)
  const { createApp } = (await import(join(place, 'app.js'))) as { createApp(settings: ApplicationSettings): App }

  let respond: RequestListener = (_request, response) => void response.writeHead(503).end()
  const server = createServer((request, response) => {
    respond(request, response)
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  const { client, secret } = await app.operator.clients.create(
    newClientSchema.parse({
      client_name: folder,
      grant_types: ['authorization_code', 'refresh_token'],
      first_party: true,
      redirect_uris: [`${url}${metadata.callback}`],
      post_logout_redirect_uris: [url],
      ...(metadata.backchannelLogout && {
        backchannel_logout_uri: `${url}${metadata.backchannelLogout}`,
        backchannel_logout_session_required: true,
      }),
      ...(metadata.pkce && { pkce: metadata.pkce }),
    }),
  )
  const { clientId } = client
  const settings = { issuer, url, clientId, clientSecret: secret ?? '', secret: 'for the cookies of the application' }
  respond = serve(createApp(settings))
  return { url, clientId }
}

export interface TravellingBrowser {
  /** Opens a page of the application: by way of the provider, where it leads there. */
  open(path: string): Promise<WebPage>
  /** Goes on from a page of the application that led to the provider. */
  goOn(page: WebPage): Promise<WebPage>
  /** The pages of the provider that were shown since the beginning, as paths. */
  readonly shown: string[]
}

/** The browser of a user who signs in at the provider, and out, where the application leads there. */
export function openApplication(
  provider: Provider,
  person: Parameters<typeof signInOn>[1],
  { url }: { url: string },
): TravellingBrowser {
  const here = createWebBrowser(url, () => null)
  const there = createWebBrowser(provider.issuer, (page) =>
    new URL(page.url).pathname === '/oauth/logout' ? page.submit('/oauth/logout/confirm', {}) : signInOn(page, person),
  )

  async function goOn(page: WebPage): Promise<WebPage> {
    if (new URL(page.url).origin === url) return page
    return goOn(await here.open(await there.goUntilElsewhere(page.url)))
  }

  return { goOn, shown: there.shown, open: async (path) => goOn(await here.open(path)) }
}
