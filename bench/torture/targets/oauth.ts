// The requests of a public client to an OAuth 2.1 server: the code flow with PKCE, refreshes, and the userinfo endpoint
// as a route that requires an access token.

import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Received, Send } from '../http.js'
import type { Proof } from '../proof.js'
import { answerTo, type Answer, type Held, type Protocol, type RefreshOptions } from '../target.js'

export const ORIGIN = 'http://localhost:3000'
export const REDIRECT_URI = 'com.example.app:/callback'

const tokensSchema = z.object({ access_token: z.string(), refresh_token: z.string() })
const errorSchema = z.object({ error: z.string(), error_description: z.string().optional() })

export interface OAuthServer {
  send: Send
  clientId: () => Promise<string>
  paths: { authorize: string; token: string; userinfo: string }
  createUser(): Promise<string>
  /** Opens the authorization endpoint as this user; returns the redirect with the code. */
  authorize(user: string, path: string): Promise<string>
  /** Whether each refresh names its attempt by an `Idempotency-Key`. */
  keyed?: boolean
  /** For a client with sender-constrained tokens. */
  createProof?: () => Proof
}

export function createOAuthProtocol(server: OAuthServer): Protocol {
  const { send, paths } = server

  async function tokenRequest(
    form: Record<string, string>,
    proof: Proof | undefined,
    { attemptKey, fate }: Partial<RefreshOptions> = {},
  ) {
    const body = new URLSearchParams({ client_id: await server.clientId(), ...form }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(proof && { dpop: await proof({ method: 'POST', url: ORIGIN + paths.token }) }),
      ...(server.keyed && attemptKey !== undefined && { 'idempotency-key': attemptKey }),
    }
    return send({ method: 'POST', path: paths.token, headers, body, fate })
  }

  async function signIn(user: string): Promise<Held> {
    const verifier = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      client_id: await server.clientId(),
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid offline_access',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: randomBytes(16).toString('base64url'),
    })
    const callback = new URL(await server.authorize(user, `${paths.authorize}?${query.toString()}`))
    const code = callback.searchParams.get('code')
    if (code === null) throw new Error(`No code in the redirect: ${callback.href}`)
    const proof = server.createProof?.()
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI }
    return heldIn(await tokenRequest(form, proof), proof)
  }

  return {
    async signUp() {
      const user = await server.createUser()
      return { user, held: await signIn(user) }
    },
    signIn,
    refresh({ refreshToken, proof = server.createProof?.() }, options) {
      const sending = tokenRequest({ grant_type: 'refresh_token', refresh_token: refreshToken }, proof, options)
      return answerTo(sending, (received) => readRefresh(received, proof))
    },
    async isAlive({ accessToken, proof }) {
      const headers = proof
        ? {
            authorization: `DPoP ${accessToken}`,
            dpop: await proof({ method: 'GET', url: ORIGIN + paths.userinfo, accessToken }),
          }
        : { authorization: `Bearer ${accessToken}` }
      return (await send({ path: paths.userinfo, headers })).status === 200
    },
  }
}

function readRefresh(received: Received, proof: Proof | undefined): Answer {
  if (received.status === 200) return { outcome: 'served', held: heldIn(received, proof) }
  const { error, error_description: description } = errorSchema.parse(JSON.parse(received.text))
  // What Sallyport answers where another request was faster (docs/oauth.md).
  if (description === 'refresh_superseded') return { outcome: 'superseded' }
  return { outcome: 'refused', how: error }
}

function heldIn({ status, text }: Received, proof: Proof | undefined): Held {
  if (status !== 200) throw new Error(`No tokens: ${status} ${text}`)
  const { access_token, refresh_token } = tokensSchema.parse(JSON.parse(text))
  return { accessToken: access_token, refreshToken: refresh_token, ...(proof && { proof }) }
}
