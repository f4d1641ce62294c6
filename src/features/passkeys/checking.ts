import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { stranger } from '../audit/audit.js'
import type { Proof } from '../families/families.js'
import { hashSubject, type Policy } from '../limits/limits.js'
import { readChallenge, type ChallengeUse } from './challenge.js'
import type { PasskeysContext } from './context.js'
import { judgeUse } from './judging.js'
import type { Assertion } from './credentials.js'
import * as store from './store.js'
import { challengeOf, verifyAssertion, type VerifiedUse } from './verifying.js'

/** A passkey that was shown and is right. It counts once `use` has succeeded, in the transaction of its effect. */
export interface ShownPasskey {
  userId: string
  proof: Proof
  /** False where the challenge was answered before, or the passkey was removed. */
  use(tx: Queries): Promise<boolean>
}

export interface PasskeyCheck extends ChallengeUse {
  /** Whether the authenticator has to verify its user, by a PIN or a fingerprint: required where the passkey is the only proof. */
  requiresUserVerification: boolean
  caller: Caller
}

export interface Checking {
  /** Null for all that is wrong. Where a user is given, only a passkey of theirs is right. */
  check(credential: Assertion, check: PasskeyCheck): Promise<ShownPasskey | null>
  /** Whether a credential of this id is registered: a browser may forget one that is not. */
  isRegistered(credential: Pick<Assertion, 'id'>): Promise<boolean>
}

/** A notice of a copied passkey goes out once a day, however often the copy is shown. */
const copyNotices: Policy = {
  name: 'passkey-copied',
  quota: 1,
  windowSeconds: 24 * 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: true,
}

export function createChecking(context: PasskeysContext): Checking {
  const { database, secrets, clock, settings } = context

  async function find(credential: Assertion, userId: string | null): Promise<store.OwnedPasskey | null> {
    const credentialId = Buffer.from(credential.id, 'base64url')
    const passkey = await database.query((client) => store.findByCredentialId(client, credentialId), {
      safeToRetry: true,
    })
    if (passkey === null || passkey.rpId !== settings.rpId) return null
    const isExpected = userId === null || passkey.userId === userId
    return isExpected && isHandleOf(passkey, credential.response.userHandle) ? passkey : null
  }

  return {
    async isRegistered({ id }) {
      const credentialId = Buffer.from(id, 'base64url')
      const passkey = await database.query((client) => store.findByCredentialId(client, credentialId))
      return passkey !== null
    },

    async check(credential, { requiresUserVerification, caller, ...use }) {
      const challenge = readChallenge(secrets, challengeOf(credential.response.clientDataJSON) ?? '', use, clock.now())
      if (challenge === null) return null
      const passkey = await find(credential, use.userId)
      if (passkey === null) return null
      const { publicKey } = passkey
      const shown = await verifyAssertion(credential, settings, { publicKey, requiresUserVerification })
      if (shown === null) return null
      const verdict = judgeUse(passkey, shown)
      if (verdict === 'refuse_counter' || verdict === 'refuse_backup') {
        await refuse(context, passkey, { verdict, shown, caller })
        return null
      }
      const { userId } = passkey
      return {
        userId,
        proof: proofOf(shown, clock.now()),
        async use(tx) {
          const isUsed =
            (await store.spendChallenge(tx, challenge)) && (await store.recordUse(tx, passkey.id, shown, clock.shiftMs))
          if (isUsed && verdict === 'ignore_counter') {
            const actor = { kind: 'user' as const, id: userId }
            const detail = detailOf(passkey, shown)
            await context.audit.record(tx, { event: 'passkey_counter_ignored', actor, caller, userId, detail })
          }
          return isUsed
        },
      }
    },
  }
}

/** The signature is right, so the key is genuine, or a copy of it: the owner is told. */
async function refuse(
  { database, audit, accounts, flows, limits }: PasskeysContext,
  passkey: store.Passkey,
  { verdict, shown, caller }: { verdict: 'refuse_counter' | 'refuse_backup'; shown: VerifiedUse; caller: Caller },
): Promise<void> {
  const { id, userId, name } = passkey
  const event = verdict === 'refuse_counter' ? 'passkey_counter_refused' : 'passkey_backup_refused'
  const refusal = { event, actor: stranger, userId } as const
  await database.query((client) => audit.record(client, { ...refusal, caller, detail: detailOf(passkey, shown) }))
  const notify = () =>
    database.transaction(async (tx) => {
      const user = await accounts.findById(tx, userId)
      if (user !== null) {
        await flows.notify(tx, { kind: 'passkey_copied', user, sessionId: null, caller, params: { factor_name: name } })
      }
      return true
    })
  try {
    await limits.guard(
      [{ policy: copyNotices, of: hashSubject(id) }],
      { caller, announce: () => undefined, refusal },
      notify,
    )
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'rate_limited')) throw error
  }
  flows.wakeMail()
}

function proofOf({ backupEligible, isUserVerified }: VerifiedUse, at: Date): Proof {
  return { method: backupEligible ? 'swk' : 'hwk', isUserVerified, at }
}

function detailOf({ id, counter }: store.Passkey, shown: VerifiedUse) {
  return { passkey_id: id, counter: shown.counter, last_counter: counter }
}

/** Whether the user handle, if there is one, is that of the passkey's user. Without the empty one of some authenticators. */
function isHandleOf({ webauthnId }: store.OwnedPasskey, userHandle: string | null | undefined): boolean {
  if (userHandle === undefined || userHandle === null || userHandle === '') return true
  return webauthnId !== null && Buffer.from(webauthnId).toString('base64url') === userHandle
}
