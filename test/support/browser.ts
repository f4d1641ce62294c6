import type { Answer, Api, Call } from './api.js'

/** A page in a browser: it stores cookies, and sends the headers that describe its origin. */
export interface Browser {
  readonly cookies: Map<string, string>
  call<Body = unknown>(path: string, call?: Call): Promise<Answer<Body>>
}

export function createBrowser(api: Api, { origin }: { origin: string }): Browser {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async call<Body>(path: string, call: Call = {}) {
      const answer = await api.call<Body>(path, {
        ...call,
        cookies: { ...Object.fromEntries(cookies), ...call.cookies },
        headers: { ...(isUnsafe(call.method) ? { origin } : {}), ...call.headers },
      })
      for (const line of answer.setCookies) keepCookie(cookies, line)
      return answer
    },
  }
}

function isUnsafe(method: Call['method'] = 'GET'): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals)
  if (/;\s*max-age=0\b/i.test(line)) cookies.delete(name)
  else cookies.set(name, pair.slice(equals + 1))
}
