// A browser over real HTTP, without script: it follows redirects, keeps cookies by their paths, and sends forms.

export interface WebPage {
  url: string
  status: number
  html: string
  /** Sends a form of the page: what is hidden in it, and these fields. */
  submit(action: string, fields: Record<string, string>): Promise<WebPage>
}

export interface WebBrowser {
  /** Opens an address, and follows it to a page of the origin, or to an address elsewhere. */
  open(address: string): Promise<WebPage>
  /** The same, and does on each page what the user would, until the browser is led elsewhere: the address. */
  goUntilElsewhere(address: string): Promise<string>
  /** The pages that were shown since the beginning, as paths. */
  readonly shown: string[]
  readonly cookies: Map<string, string>
}

const MAX_STEPS = 20

/**
 * @param act what the user does on a page; null for a page on which there is nothing to do
 */
export function createWebBrowser(origin: string, act: (page: WebPage) => Promise<WebPage> | null): WebBrowser {
  // By path and name: the interactions of the provider have cookies of one name on several paths.
  const cookies = new Map<string, string>()
  const shown: string[] = []

  function cookiesFor(path: string): string {
    return [...cookies]
      .map(([key, value]) => ({
        path: key.slice(0, key.indexOf(' ')),
        pair: `${key.slice(key.indexOf(' ') + 1)}=${value}`,
      }))
      .filter(({ path: prefix }) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`))
      .map(({ pair }) => pair)
      .join('; ')
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
    const key = `${path} ${pair.slice(0, equals)}`
    const isOver = attributes.some((attribute) => /^(max-age=0|expires=Thu, 01 Jan 1970)/i.test(attribute))
    if (isOver) cookies.delete(key)
    else cookies.set(key, pair.slice(equals + 1))
  }

  async function request(address: string, init: RequestInit = {}): Promise<WebPage> {
    let next = { address, init }
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const url = new URL(next.address)
      if (url.origin !== origin) return pageOf(url.href, 0, '')
      const headers = new Headers(next.init.headers)
      headers.set('accept', 'text/html')
      headers.set('cookie', cookiesFor(url.pathname))
      const response = await fetch(url, { ...next.init, headers, redirect: 'manual' })
      for (const line of response.headers.getSetCookie()) keep(line)
      const html = await response.text()
      const location = response.headers.get('location')
      const refresh = /<meta http-equiv="refresh" content="0;url=([^"]+)"/.exec(html)?.[1]
      const target = location ?? (refresh && unescapeHtml(refresh))
      if (!target) {
        shown.push(url.pathname)
        return pageOf(url.href, response.status, html)
      }
      next = { address: new URL(target, url).href, init: {} }
    }
    throw new Error(`${address} leads from one redirect to the next.`)
  }

  function pageOf(url: string, status: number, html: string): WebPage {
    return {
      url,
      status,
      html,
      submit(action, fields) {
        const form = formsOf(html).find((each) => each.action === action && isSubset(fields, each.hidden))
        if (form === undefined) throw new Error(`${url} has no form for ${action}:\n${html}`)
        const body = new URLSearchParams({ ...form.hidden, ...fields })
        return request(new URL(action, url).href, { method: 'POST', body, headers: { origin } })
      },
    }
  }

  return {
    shown,
    cookies,
    open: (address) => request(new URL(address, origin).href),

    async goUntilElsewhere(address) {
      let page = await request(address)
      for (let step = 0; step < MAX_STEPS; step += 1) {
        if (new URL(page.url).origin !== origin) return page.url
        const next = act(page)
        if (next === null) throw new Error(`The user is at ${page.url} (${page.status}): ${textOf(page)}`)
        page = await next
      }
      throw new Error(`The user never comes back from ${page.url}: ${textOf(page)}`)
    },
  }
}

/** What a page says, without its tags. */
function textOf({ html }: WebPage): string {
  return html
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 500)
}

function formsOf(html: string): { action: string; hidden: Record<string, string> }[] {
  return [...html.matchAll(/<form [^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = '', content = '']) => ({
      action: unescapeHtml(action),
      hidden: Object.fromEntries(
        [...content.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
          ([, name = '', value = '']) => [name, unescapeHtml(value)],
        ),
      ),
    }),
  )
}

/** Of two forms that lead to one address, what is hidden in them tells which is meant. */
function isSubset(fields: Record<string, string>, hidden: Record<string, string>): boolean {
  return Object.entries(fields).every(
    ([name, value]) => hidden[name] === undefined || hidden[name] === value || name === 'email',
  )
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
