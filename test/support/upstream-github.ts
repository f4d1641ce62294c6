// A plain OAuth 2 server in GitHub's manner: no ID tokens, errors as 200, numeric ids, addresses at an address of their own.

import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from './app.js'
import { listen } from './listen.js'
import { escapeHtml, walkTo, type Callback } from './upstream-walk.js'

export interface GitHubUser {
  id: number
  login: string
  name: string | null
  emails: { email: string; primary: boolean; verified: unknown; visibility?: string | null }[]
}

type Endpoint = 'token' | 'user' | 'emails'

export interface GitHub {
  readonly origin: string
  /** Its `iss`. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The four addresses as an entry of PROVIDERS names them. */
  readonly endpoints: {
    authorization_endpoint: string
    token_endpoint: string
    userinfo_endpoint: string
    emails_endpoint: string
  }
  /** By login; `octocat` is there from the beginning. */
  readonly users: Map<string, GitHubUser>
  readonly switches: {
    trouble: Partial<Record<Endpoint, 'error' | 'hang' | undefined>>
    /** The parameter `iss` of the callback. */
    issParameter: 'right' | 'missing' | { readonly wrong: string }
  }
  /** What was asked so far, such as `GET /user`. */
  readonly asked: readonly string[]
  signInAs(login: string, address: URL | string): Promise<Callback>
  refuse(address: URL | string): Promise<Callback>
}

interface Grant {
  login: string
  challenge: string
  redirectUri: string
}

const CLIENT_ID = 'Iv1.sallyport'
const CLIENT_SECRET = 'the secret of the client at GitHub'

/** Starts it on loopback. */
export async function startGitHub(t: Test, { host = '127.0.0.1' }: { host?: string } = {}): Promise<GitHub> {
  const users = new Map<string, GitHubUser>([
    [
      'octocat',
      {
        ...{ id: 583_231, login: 'octocat', name: 'The Octocat' },
        emails: [
          { email: 'Other@example.com', primary: false, verified: true, visibility: null },
          { email: 'octocat@example.com', primary: true, verified: true, visibility: 'public' },
        ],
      },
    ],
  ])
  const switches: GitHub['switches'] = { trouble: {}, issParameter: 'right' }
  const asked: string[] = []
  const codes = new Map<string, Grant>()
  const tokens = new Map<string, string>()
  const port = await listen(
    t,
    createServer((request, response) => void answer(request, response)),
  )
  const origin = `http://${host}:${port}`
  const issuer = `${origin}/login/oauth`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', origin)
    asked.push(`${request.method} ${url.pathname}`)
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const fields = new URLSearchParams(Buffer.concat(pieces).toString())
    const endpoint = endpoints[url.pathname]
    const trouble = endpoint && switches.trouble[endpoint]
    if (trouble === 'hang') return
    const route = `${request.method} ${url.pathname}`
    if (trouble === 'error') answerJson(response, { message: 'Server Error' }, 500)
    else if (route === 'GET /login/oauth/authorize') showPage(response, url)
    else if (route === 'POST /login/oauth/authorize') decide(response, fields)
    else if (route === 'POST /login/oauth/access_token') answerJson(response, redeem(fields))
    else if (route === 'GET /user') tell(request, response, publicPart)
    else if (route === 'GET /user/emails') tell(request, response, ({ emails }) => emails)
    else answerJson(response, { message: 'Not Found' }, 404)
  }

  function decide(response: ServerResponse, fields: URLSearchParams): void {
    const callback = new URL(fields.get('redirect_uri') ?? '')
    const login = fields.get('login') ?? ''
    callback.searchParams.set('state', fields.get('state') ?? '')
    if (fields.get('decision') === 'no' || !users.has(login)) {
      callback.searchParams.set('error', 'access_denied')
    } else {
      const code = randomBytes(10).toString('hex')
      codes.set(code, {
        login,
        challenge: fields.get('code_challenge') ?? '',
        redirectUri: fields.get('redirect_uri') ?? '',
      })
      callback.searchParams.set('code', code)
    }
    const { issParameter } = switches
    if (issParameter !== 'missing') {
      callback.searchParams.set('iss', issParameter === 'right' ? issuer : issParameter.wrong)
    }
    response.writeHead(303, { location: callback.href }).end()
  }

  /** Answers errors with 200, as GitHub does. */
  function redeem(fields: URLSearchParams): Record<string, unknown> {
    if (fields.get('client_id') !== CLIENT_ID || fields.get('client_secret') !== CLIENT_SECRET) {
      return {
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret is wrong.',
      }
    }
    const code = fields.get('code') ?? ''
    const grant = codes.get(code)
    const challenge = createHash('sha256')
      .update(fields.get('code_verifier') ?? '')
      .digest('base64url')
    if (grant?.challenge !== challenge || grant.redirectUri !== fields.get('redirect_uri')) {
      return { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }
    }
    codes.delete(code)
    const token = `gho_${randomBytes(18).toString('hex')}`
    tokens.set(token, grant.login)
    return { access_token: token, scope: 'read:user,user:email', token_type: 'bearer' }
  }

  function tell(request: IncomingMessage, response: ServerResponse, say: (user: GitHubUser) => unknown): void {
    const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const user = users.get(tokens.get(token) ?? '')
    if (user === undefined) answerJson(response, { message: 'Bad credentials' }, 401)
    else answerJson(response, say(user))
  }

  return {
    ...{ origin, issuer, users, switches, asked },
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    endpoints: {
      authorization_endpoint: `${origin}/login/oauth/authorize`,
      token_endpoint: `${origin}/login/oauth/access_token`,
      userinfo_endpoint: `${origin}/user`,
      emails_endpoint: `${origin}/user/emails`,
    },
    signInAs: (login, address) => walkTo(origin, address, { login }),
    refuse: (address) => walkTo(origin, address, { decision: 'no' }),
  }
}

/** The address on the profile is one that the person has chosen to show, and is proven to no one. */
const publicPart = ({ id, login, name }: GitHubUser) => ({ id, login, name, email: 'public@example.com' })

const endpoints: Record<string, Endpoint> = {
  '/login/oauth/access_token': 'token',
  '/user': 'user',
  '/user/emails': 'emails',
}

function showPage(response: ServerResponse, { searchParams }: URL): void {
  const isRight =
    searchParams.get('client_id') === CLIENT_ID &&
    searchParams.get('code_challenge_method') === 'S256' &&
    searchParams.has('code_challenge') &&
    searchParams.has('state')
  if (!isRight) {
    answerJson(response, { error: 'invalid_request' }, 400)
    return
  }
  const hidden = ['redirect_uri', 'state', 'code_challenge']
    .map((name) => `<input type="hidden" name="${name}" value="${escapeHtml(searchParams.get(name) ?? '')}">`)
    .join('')
  response.writeHead(200, { 'content-type': 'text/html' }).end(
    `<!doctype html><title>Authorize</title><form method="post" action="/login/oauth/authorize">${hidden}
      <label>Login <input name="login"></label>
      <button name="decision" value="yes">Authorize</button><button name="decision" value="no">Cancel</button></form>`,
  )
}

function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
