import type { Prisma } from '../../generated/prisma/client.js'
import type { Clock } from '../../platform/clock.js'
import type { Queries } from '../../platform/database/database.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { NewMail } from './kinds.js'
import * as store from './store.js'

export interface Outbox {
  /** Writes a mail in the transaction of its cause. Call `wake` after the commit. */
  add(tx: Queries, mail: NewMail): Promise<void>
  /** The same as a part of the caller's statement, done only if `from`, another part of it, has a row. */
  insertionOf(mail: NewMail, where: { from: Prisma.Sql }): Prisma.Sql
  /** Deletes the mails to a user: they asked to be forgotten. Those that a request has written know the address alone. */
  forgetUser(tx: Queries, user: { id: string; email: string }): Promise<void>
  /** Has this process send what was written now, and not at its next poll. For after the commit; returns immediately. */
  wake(): void
  /** Calls back at each `wake`. */
  onWake(listener: () => void): void
}

export interface OutboxOptions {
  clock: Clock
  /** Whether mails are sent at all; else none are written. */
  enabled: boolean
}

export function createOutbox({ clock, enabled }: OutboxOptions): Outbox {
  const listeners: (() => void)[] = []
  return {
    async add(tx, mail) {
      if (enabled) await store.insertMail(tx, uuidv7(), mail, clock.shiftMs)
    },
    insertionOf: (mail, { from }) =>
      enabled ? store.mailInsertion(uuidv7(), mail, { from, shiftMs: clock.shiftMs }) : store.noInsertion,
    forgetUser: store.deleteMailsOf,
    wake() {
      for (const listener of listeners) listener()
    },
    onWake: (listener) => void listeners.push(listener),
  }
}
