import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { stranger, type Actor } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import type { Limits, Policy, Requester } from '../limits/limits.js'
import type { Passkeys, ShownPasskey } from '../passkeys/passkeys.js'
import {
  completeSignInWithin,
  requireTokens,
  type Completion,
  type CompletionOptions,
  type HeldUser,
  type SignedIn,
} from './completing.js'
import type { PasswordLoginOptions } from './password-login.js'
import type { PasskeyLoginBody } from './schemas.js'

export interface PasskeyLoginOptions
  extends CompletionOptions, Pick<PasswordLoginOptions, 'countLogin' | 'countSignIn' | 'passwords'> {
  passkeys: Passkeys
  limits: Pick<Limits, 'guard' | 'ofNetwork'>
}

export interface PasskeyLogin {
  /** The options with which a browser is asked for any passkey of this domain. Nothing is stored. */
  requestOptions(): ReturnType<Passkeys['requestOptions']>
  /**
   * Signs the owner of a passkey in, which has verified them and is two factors by itself. Throws `invalid_credentials` for
   * all that is wrong, with the member `unknown_credential` where no such passkey is registered, `account_banned`, and `rate_limited` after too many wrong ones from a network.
   */
  login(
    body: PasskeyLoginBody,
    requester: Requester,
    contextOf: (user: { email: string }) => SignInContext,
  ): Promise<SignedIn>
}

/** Wrong passkeys from one network: they cannot be guessed, but each one costs. */
const networkPolicy: Policy = {
  name: 'passkeys',
  quota: 100,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'refund',
  concealed: false,
}

export function createPasskeyLogin(options: PasskeyLoginOptions): PasskeyLogin {
  const { database, revocations, accounts, passkeys, passwords, flows, audit, limits, countLogin, countSignIn } =
    options
  const use = { purpose: 'sign_in' as const, userId: null }

  async function tryLogin(
    body: PasskeyLoginBody,
    { caller }: Requester,
    contextOf: (user: { email: string }) => SignInContext,
  ): Promise<{ completion: Completion; context: SignInContext } | null> {
    const shown = await passkeys.check(body.credential, { ...use, requiresUserVerification: true, caller })
    if (shown === null) return null
    const opened = await revocations.transaction(async (tx, revoke) => {
      const user = await accounts.lock(tx, shown.userId)
      if (user === null || !(await shown.use(tx))) return null
      const context = contextOf(user)
      return { completion: await complete({ tx, revoke, user }, shown, { body, context }), context }
    })
    flows.wakeMail()
    return opened
  }

  async function complete(
    held: HeldUser,
    { proof }: ShownPasskey,
    { body, context }: { body: PasskeyLoginBody; context: SignInContext },
  ): Promise<Completion> {
    const { tx, user } = held
    const signIn = { proofs: [proof], wish: body, context, event: 'login_succeeded' as const }
    const completion = await completeSignInWithin(options, held, signIn)
    if ('refused' in completion) await recordBan(tx, user.id, context)
    else await passwords.forgiveGuesses(tx, user.email)
    return completion
  }

  async function recordBan(tx: Queries, userId: string, { caller }: SignInContext): Promise<void> {
    const actor: Actor = { kind: 'user', id: userId }
    await audit.record(tx, { event: 'login_refused_banned', actor, caller, userId })
  }

  async function recordWrong({ caller }: Requester): Promise<void> {
    countLogin('wrong_credentials')
    await database.query((client) => audit.record(client, { event: 'login_failed', actor: stranger, caller }))
  }

  return {
    requestOptions: () => database.query((client) => passkeys.requestOptions(client, use)),

    async login(body, requester, contextOf) {
      const budgets = limits.ofNetwork(networkPolicy, requester.caller)
      const refusal = { event: 'passkeys_limited', actor: stranger } as const
      const done = await limits.guard(budgets, { ...requester, refusal }, () => tryLogin(body, requester, contextOf))
      if (done === null) {
        await recordWrong(requester)
        // The one thing that is told: browsers are to forget a passkey that was removed, and no other one. It tells of no
        // user, as the ids are random.
        const isKnown = await passkeys.isRegistered(body.credential)
        throw new Problem('invalid_credentials', isKnown ? {} : { members: { unknown_credential: true } })
      }
      // Thrown only now: a throw inside the transaction would undo what was recorded.
      const { completion, context } = done
      countLogin('refused' in completion ? 'banned' : 'succeeded')
      const tokens = requireTokens(completion)
      countSignIn('passkey')
      return { tokens, context }
    },
  }
}
