import { setTimeout as pause } from 'node:timers/promises'
import { untilHeard, type Call } from './calling.js'
import * as ledger from './ledger.js'
import type { Account, Faults } from './ledger.js'
import type { PostOffice } from './post-office.js'

export interface MailUseOptions {
  call: Call
  postOffice: Pick<PostOffice, 'codeOf'>
  /** Whether the run continues. */
  goesOn(): boolean
}

/** What a user does by mail. */
export interface MailUse {
  /** Registers, and waits for the code that confirms it; the account stays unregistered where the run ends before. */
  register(): Promise<Faults>
  /** Asks for a code to sign in or, if one has arrived since the last time, signs in with it. */
  signInByCode(): Promise<Faults>
  /** The same for a new password in place of a forgotten one. */
  resetPassword(newPassword: string): Promise<Faults>
}

const LOOKED_FOR_EVERY_MS = 100

export function createMailUse(account: Account, { call, postOffice, goesOn }: MailUseOptions): MailUse {
  /** Begins a flow, which waits for its mail. */
  function begin(kind: ledger.MailFlow['kind'], path: string, body: object): Promise<Faults> {
    return untilHeard(
      () => call({ method: 'POST', path, body: { ...body, mode: 'json' } }),
      (heard) => ledger.noteBegun(account, kind, heard),
    )
  }

  /** Ends a flow with its code, unless the mail is still on its way. */
  async function end(
    { flow, path, body = {} }: { flow: ledger.MailFlow; path: string; body?: object },
    note: (heard: ledger.Heard, isRepeated: boolean) => Faults,
  ): Promise<Faults> {
    const code = postOffice.codeOf(flow.token)
    if (code === null) return []
    return untilHeard(
      () => call({ method: 'POST', path, body: { ...body, code, flow_token: flow.token } }),
      (heard, tries) => note(heard, tries > 1),
    )
  }

  return {
    async register() {
      const { email, password } = account
      const faults = await begin('register', '/v1/auth/register', { email, password })
      while (faults.length === 0 && !account.registered && goesOn()) {
        const flow = ledger.waitingFlow(account, 'register')
        if (flow === null) break
        const note = (heard: ledger.Heard, isRepeated: boolean) => ledger.noteCodeUsed(account, flow, heard, isRepeated)
        faults.push(...(await end({ flow, path: '/v1/auth/verify-email' }, note)))
        if (!account.registered) await pause(LOOKED_FOR_EVERY_MS)
      }
      return faults
    },

    async signInByCode() {
      const flow = ledger.waitingFlow(account, 'otp')
      if (flow === null) return begin('otp', '/v1/auth/otp', { email: account.email })
      return end({ flow, path: '/v1/auth/otp/verify' }, (heard, isRepeated) =>
        ledger.noteCodeUsed(account, flow, heard, isRepeated),
      )
    },

    async resetPassword(newPassword) {
      const flow = ledger.waitingFlow(account, 'reset_password')
      if (flow === null) return begin('reset_password', '/v1/auth/forgot-password', { email: account.email })
      return end({ flow, path: '/v1/auth/reset-password', body: { new_password: newPassword } }, (heard, isRepeated) =>
        ledger.noteReset(account, flow, { newPassword, heard, isRepeated }),
      )
    },
  }
}
