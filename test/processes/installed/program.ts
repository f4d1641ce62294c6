// Compiled and run by packages.test.ts with only the packages of the two SDKs installed: a small service that verifies
// Sallyport's access tokens, and its client.

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClientError, createClient, createMemoryStore, type ClientState } from '@sallyport/client'
import { createVerifier, requireAccess, VerificationError, type VerifiedRequest } from '@sallyport/verifier'

const [url = '', credential = '', email = '', password = ''] = process.argv.slice(2)

const verifier = createVerifier({ issuer: url, audience: url, credential })
await verifier.ready()
const guard = requireAccess(verifier, { freshness: 'live' })
const service = createServer((request: IncomingMessage & VerifiedRequest, response) =>
  guard(request, response, () => response.end(JSON.stringify(request.claims))),
).listen(0, '127.0.0.1')
await once(service, 'listening')
const origin = `http://127.0.0.1:${(service.address() as AddressInfo).port}`

const client = createClient({ baseUrl: url, mode: 'json', storage: createMemoryStore(), origins: [origin] })
const refusedLogin = await client.login({ email, password: `not ${password}` }).catch((error: unknown) => error)
const state: ClientState = await client.login({ email, password })
const answer = await client.fetch(origin)
const refusedToken = await verifier.verify('no token').catch((error: unknown) => error)

const seen = {
  refusedLogin: refusedLogin instanceof ClientError ? refusedLogin.code : null,
  refusedToken: refusedToken instanceof VerificationError ? refusedToken.code : null,
  user: state.status === 'signed_in' ? state.user : null,
  claims: (await answer.json()) as unknown,
}
await client.logout()
client.close()
verifier.close()
service.close()
process.stdout.write(JSON.stringify({ ...seen, afterLogout: client.state }))
