// RFC 6749, section 4.1.2: a code that leaks is worth nothing, because its second redemption ends what the first one got.

import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import t, { type Test as Tap } from 'tap'
import { openTestDatabase, type TestDatabase } from '../support/database.js'
import {
  askForTokens,
  errorOf,
  openBrowser,
  redemptionOf,
  registerParty,
  startProvider,
  type Provider,
} from '../support/relying-party.js'
import { readFamily } from '../support/rows.js'
import { watchStatements } from '../support/statements.js'

const publicClient = { token_endpoint_auth_method: 'none' }

/** What a client gets for a code that others have redeemed as well: tokens that are refused everywhere. */
async function requireRevoked(
  t: Tap,
  { provider, clientId }: { provider: Provider; clientId: string },
  { refresh_token: refreshToken = '', access_token: accessToken = '' }: Record<string, string | undefined>,
): Promise<void> {
  t.match(
    await askForTokens(provider, {
      ...{ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken },
    }),
    { status: 400, body: { error: 'invalid_grant', error_description: 'session_ended' } },
  )
  const { sid = '' } = decodeJwt<{ sid?: string }>(accessToken)
  t.match(await readFamily(provider.database, sid), { endReason: 'reuse_detected' })
  const userInfo = await fetch(`${provider.issuer}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${accessToken}` },
  })
  t.equal(userInfo.status, 401)
}

t.test('of ten redemptions of a code at once, exactly one gets tokens, and the others have them revoked', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider, publicClient)
  const browser = openBrowser(provider, await provider.api.signUp())
  const bystander = await party.signIn(browser)
  for (let round = 1; round <= 20; round += 1) {
    const redemption = redemptionOf(party, await party.authorize(browser))
    const answers = await Promise.all(Array.from({ length: 10 }, () => askForTokens(provider, redemption)))
    const granted = answers.filter(({ status }) => status === 200)
    t.equal(granted.length, 1, `round ${round}`)
    for (const { status, body } of answers) {
      if (status !== 200) t.match({ status, body }, { status: 400, body: { error: 'invalid_grant' } })
    }
    await requireRevoked(t, { provider, ...party }, granted[0]?.body ?? {})
  }
  const refreshed = await client.refreshTokenGrant(party.config, bystander.refresh_token ?? '')
  t.ok(refreshed.access_token, 'the user’s other session with the client goes on')
})

t.test('a second redemption between the first and its session has the first one answered, and revoked', async (t) => {
  const watched = watchStatements(await openTestDatabase())
  let meanwhile: (() => Promise<unknown>) | undefined
  const database: TestDatabase = {
    ...watched,
    async query(work, options) {
      const result = await watched.query(work, options)
      if (!watched.take().some((statement) => statement.startsWith('UPDATE oauth_artifact SET consumed_at')))
        return result
      const next = meanwhile
      meanwhile = undefined
      await next?.()
      return result
    },
  }
  const provider = await startProvider(t, { database })
  const party = await registerParty(provider, publicClient)
  const browser = openBrowser(provider, await provider.api.signUp())
  const redemption = redemptionOf(party, await party.authorize(browser))
  let second: unknown
  meanwhile = async () => {
    second = await askForTokens(provider, redemption)
  }
  const first = await askForTokens(provider, redemption)
  t.match(second, { status: 400, body: { error: 'invalid_grant' } })
  t.equal(first.status, 200)
  await requireRevoked(t, { provider, ...party }, first.body)
})

t.test('a code that is redeemed a second time ends its session, and no other', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider)
  const browser = openBrowser(provider, await provider.api.signUp())
  const other = await party.signIn(browser)
  const authorization = await party.authorize(browser)
  const tokens = await party.redeem(authorization)
  t.equal(await errorOf(party.redeem(authorization)), 'invalid_grant')
  t.equal(await errorOf(client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')), 'invalid_grant')
  await t.rejects(client.fetchUserInfo(party.config, tokens.access_token, tokens.claims()?.sub ?? ''))
  await client.refreshTokenGrant(party.config, other.refresh_token ?? '')
})
