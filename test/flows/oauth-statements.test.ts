// The number of database statements for a refresh at /oauth/token.

import t from 'tap'
import { openTestDatabase } from '../support/database.js'
import { askForTokens, openBrowser, registerParty, startProvider } from '../support/relying-party.js'
import { watchStatements } from '../support/statements.js'

const database = watchStatements(await openTestDatabase())
const provider = await startProvider(t, { database })
const party = await registerParty(provider, { token_endpoint_auth_method: 'none' })
const ada = await provider.api.signUp()

/** The refresh token of another sign-in of the same user. */
async function signIn(): Promise<string> {
  const { refresh_token: token = '' } = await party.signIn(openBrowser(provider, ada))
  return token
}

const formOf = (token: string) => ({ grant_type: 'refresh_token', refresh_token: token, client_id: party.clientId })
const refresh = (token: string, fields: Record<string, string> = {}) =>
  askForTokens(provider, { ...formOf(token), ...fields })

t.test('a refresh with an ID token rotates the family, which reads its user as well', async (t) => {
  const token = await signIn()
  // The client is read again after its first sign-in, which is noted on it.
  const { body: first } = await refresh(token)
  database.take()
  const { status, body } = await refresh(first['refresh_token'] ?? '')
  t.equal(status, 200)
  t.type(body['id_token'], 'string')
  const statements = database.take()
  t.match(statements, [/UPDATE refresh_token_family/])
  t.equal(statements.length, 1)
})

t.test('one that the library answers reads the family with its user, and rotates it', async (t) => {
  const token = await signIn()
  database.take()
  const { status, body } = await refresh(token, { scope: 'openid' })
  t.equal(status, 200)
  t.type(body['id_token'], 'string')
  const statements = database.take()
  t.match(statements, [/^SELECT .* FROM unnest.* JOIN refresh_token_family/, /UPDATE refresh_token_family/])
  t.equal(statements.length, 2)
})

t.test('refreshes that arrive together share the statement', async (t) => {
  const tokens: string[] = []
  for (let index = 0; index < 10; index += 1) tokens.push(await signIn())
  database.take()
  // In this process, so that they do arrive together.
  const answers = await Promise.all(
    tokens.map((token) =>
      provider.api.call<{ refresh_token?: string }>('/oauth/token', {
        method: 'POST',
        text: new URLSearchParams(formOf(token)).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    ),
  )
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, tokens.length, 'each has its own')
  const { length } = database.take()
  t.ok(length < tokens.length, `${length} statements for ${tokens.length} refreshes`)
})
