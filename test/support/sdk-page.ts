// The client SDK in pages of one browser: cookies are sent as a browser does, and each page is a new start of the script.

import { createClient, createMemoryStore, type Client, type KeyStore } from '../../src/sdk/client/client.js'
import type { Mode } from '../../src/wire/mode.js'
import type { Surfer } from './social-flow.js'

export interface PageOptions {
  mode: Mode
  onStepUp?: (client: Client) => Promise<unknown>
  now: () => number
}

/** A browser, and what its pages keep. */
export interface PageBrowser {
  surfer: Surfer
  storage: KeyStore
  /** Opens a page: the former one is gone. */
  open(address: string): Client
  /** Where the current page has sent the browser; null if it has not. */
  readonly sentTo: string | null
  /** What the address bar shows. */
  readonly address: string
}

/** The globals of a page, in this process, for one test. */
export function createPageBrowser(
  t: { teardown(work: () => void): void },
  surfer: Surfer,
  baseUrl: string,
  { mode, onStepUp, now }: PageOptions,
): PageBrowser {
  const storage = createMemoryStore()
  let page = { href: '', sentTo: null as string | null }
  let former: Client | null = null
  const platform = {
    location: {
      get href() {
        return page.href
      },
      assign: (address: string) => void (page.sentTo = address),
    },
    history: {
      state: null,
      replaceState: (_state: unknown, _unused: string, address: string) => void (page.href = address),
    },
  }
  const names = Object.keys(platform) as (keyof typeof platform)[]
  for (const name of names) Object.defineProperty(globalThis, name, { configurable: true, value: platform[name] })
  t.teardown(() => {
    former?.close()
    for (const name of names) Reflect.deleteProperty(globalThis, name)
  })

  async function fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    const answer = await surfer.open(pathname + search, {
      method: (init.method ?? 'GET') as 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === 'string' && { text: init.body }),
    })
    const headers = { 'content-type': String(answer.headers['content-type'] ?? '') }
    return new Response(answer.status === 204 ? null : JSON.stringify(answer.body), { status: answer.status, headers })
  }

  return {
    ...{ surfer, storage },
    open(address) {
      former?.close()
      page = { href: address, sentTo: null }
      const clock = { now, pause: () => Promise.resolve() }
      const client: Client = createClient({
        ...{ baseUrl, mode, storage, fetch, clock },
        ...(onStepUp && { onStepUp: () => onStepUp(client) }),
      })
      former = client
      return client
    },
    get sentTo() {
      return page.sentTo
    },
    get address() {
      return page.href
    },
  }
}
