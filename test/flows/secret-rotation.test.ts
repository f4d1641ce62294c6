import t from 'tap'
import { generateSecretKey, parseSecretKey } from '../../src/platform/crypto/secret-keys.js'
import { runCommand } from '../../src/commands/commands.js'
import { startApp } from '../support/app.js'
import { createFactorCalls } from '../support/factor-calls.js'

const idOfSecret = (text: string) => parseSecretKey(text)?.id
const idInToken = (token = '') => Buffer.from(token.slice('spr_'.length), 'base64url').readUInt8(0)

/** One byte is not always unique, and the test needs two different ids. */
function generateUnlike(other: string): string {
  const secret = generateSecretKey()
  return idOfSecret(secret) === idOfSecret(other) ? generateUnlike(other) : secret
}

t.test(
  'REF-24: SECRET_KEY is rotated in two steps, and every response contains a token under the first key',
  async (t) => {
    const old = generateSecretKey()
    const next = generateUnlike(old)
    const first = await startApp(t, { settings: { SECRET_KEY: old } })
    const { clock } = first
    const join = (SECRET_KEY: string) => startApp(t, { join: true, clock, settings: { SECRET_KEY } })
    const [active, idle] = [await first.api.signUp(), await first.api.signUp()]

    const prepared = await join(`${old},${next}`)
    const { status, body: second } = await prepared.api.refresh(active.refreshToken)
    t.equal(status, 200)
    t.equal(idInToken(second.refresh_token), idOfSecret(old))
    t.match(
      await first.api.refresh(second.refresh_token),
      { status: 200 },
      'instances that know only the old one continue',
    )

    const rotated = await join(`${next},${old}`)
    const replayed = await rotated.api.refresh(second.refresh_token)
    t.equal(replayed.status, 200)
    t.equal(idInToken(replayed.body.refresh_token), idOfSecret(next))
    const { body: last } = await rotated.api.refresh(replayed.body.refresh_token)
    t.equal(idInToken(last.refresh_token), idOfSecret(next))
    t.match(await prepared.api.whoami(last.access_token), { status: 200 })
    t.strictSame(
      await rotated.app.operator.families.countBySecret(),
      new Map([
        [idOfSecret(old), 1],
        [idOfSecret(next), 1],
      ]),
    )

    await rotated.app.operator.keys.reseal()
    const finished = await join(next)
    t.match(await finished.api.refresh(last.refresh_token), { status: 200 })
    t.match(await finished.api.whoami(last.access_token), { status: 200 })
    t.match(await finished.api.refresh(idle.refreshToken), { status: 401, body: { code: 'refresh_token_invalid' } })
    t.match(
      await rotated.api.refresh(idle.refreshToken),
      { status: 200 },
      'no session ended: the old secret still verifies it',
    )
  },
)

t.test('MFA-03: secrets:rotate encrypts the secrets of authenticator apps again', async (t) => {
  const old = generateSecretKey()
  const next = generateUnlike(old)
  const first = await startApp(t, { settings: { SECRET_KEY: old } })
  const { clock } = first
  const { signUpWithTotp } = createFactorCalls(first)
  const user = await signUpWithTotp()
  const join = (SECRET_KEY: string) => startApp(t, { join: true, clock, settings: { SECRET_KEY } })
  const rotated = await join(`${next},${old}`)
  t.match(await runCommand(rotated.app.operator, 'secrets:rotate', []), [
    /signing keys/,
    /^1 secrets of authenticator apps/,
  ])
  const finished = await join(next)
  const { codeOf, firstStep, mfa } = createFactorCalls(finished)
  const { mfa_token } = await firstStep(user)
  t.match(await mfa({ mfa_token, code: codeOf(user.secret) }), { status: 200 })
})
