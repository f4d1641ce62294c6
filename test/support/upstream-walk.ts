// A person's way through a provider's pages without a browser, for the upstream providers of tests.

/** With what a provider sends the browser back to our callback. */
export interface Callback {
  /** POST for `form_post`. */
  method: 'GET' | 'POST'
  /** With the parameters of GET. */
  url: string
  parameters: URLSearchParams
}

const MAX_STEPS = 10

/** Follows an address of a provider, and sends the form of its page with these fields, until it leads elsewhere. */
export async function walkTo(origin: string, address: URL | string, fields: Record<string, string>): Promise<Callback> {
  const cookies = new Map<string, string>()
  let next: { address: string; init: RequestInit } = { address: String(address), init: {} }
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const url = new URL(next.address)
    if (url.origin !== origin) return { method: 'GET', url: url.href, parameters: url.searchParams }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...next.init, headers: { cookie, accept: 'text/html' }, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const html = await response.text()
    const location = response.headers.get('location')
    if (location !== null) {
      next = { address: new URL(location, url).href, init: {} }
      continue
    }
    const form = readForm(html)
    if (form === null) throw new Error(`${url.href} answers ${response.status} and has no form: ${html.slice(0, 500)}`)
    const action = new URL(form.action, url)
    if (action.origin !== origin) {
      return { method: 'POST', url: action.href, parameters: new URLSearchParams(form.hidden) }
    }
    next = { address: action.href, init: { method: 'POST', body: new URLSearchParams({ ...form.hidden, ...fields }) } }
  }
  throw new Error(`${String(address)} never leads elsewhere.`)
}

/** A text in an attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function readForm(html: string): { action: string; hidden: Record<string, string> } | null {
  const action = /<form [^>]*action="([^"]*)"/.exec(html)?.[1]
  if (action === undefined) return null
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return {
    action: unescapeHtml(action),
    hidden: Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, unescapeHtml(value)])),
  }
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll(/&#x27;|&#39;/g, "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
