import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { uuidv7 } from '../../platform/uuid.js'
import { deviceNameOf } from '../families/families.js'
import type { NewMail, noticeMails } from '../mail/mail.js'
import type { FlowsContext } from './context.js'
import { livesOf } from './kinds.js'
import { sealPayload } from './payload.js'
import * as store from './store.js'

/** A mail that tells the owner of an account what happened to it. */
export interface Notice {
  kind: (typeof noticeMails)[number]
  user: { id: string; email: string }
  /** The session that the recipient can end by saying that this was not them; null where there is none. */
  sessionId: string | null
  /** Who did it, and from where. */
  caller: Caller
  deviceName?: string | null
  /** The identity that its button unlinks, besides the session's end. */
  identityId?: string
  /** Makes its button take the change back, instead of telling that this was not the recipient. */
  undo?: boolean
  /** Makes its button stop what it announces: a reset of the factors, after FACTOR_RESET_DELAY. */
  stop?: boolean
  /** What else the template tells, such as `by` where it was not the user. */
  params?: Readonly<Record<string, string>>
  /** Notices with the same value are sent once. */
  dedupe?: string
}

export interface Notices {
  /** Writes a notice in the transaction of what it tells of. Call `wakeMail` after the commit. */
  notify(tx: Queries, notice: Notice): Promise<void>
  /** The same as parts of a statement of another feature, done only if `from`, a part of it, has a row. */
  noticeParts(notice: Notice, where: { from: Prisma.Sql }): Prisma.Sql[]
}

export function createNotices({ secrets, clock, outbox, settings }: FlowsContext): Notices {
  const isOffered = ({ kind }: Notice) => settings.sendsMail && (settings.notices === 'all' || kind !== 'new_sign_in')
  const lives = livesOf(settings)

  function write(notice: Notice): { flow: store.NewFlow; mail: NewMail } {
    const {
      kind,
      user,
      sessionId,
      caller,
      deviceName = null,
      undo = false,
      stop = false,
      params = {},
      dedupe = null,
      identityId,
    } = notice
    const id = uuidv7()
    const flowKind = stop ? 'factors_reset' : undo && settings.undoSeconds > 0 ? 'email_undo' : 'not_me'
    const flow: store.NewFlow = {
      ...{ id, kind: flowKind, holderHash: null, userId: user.id, email: user.email, mode: 'json', remember: true },
      ...{ deviceName: deviceName ?? deviceNameOf(caller.userAgent), locale: null },
      ...sealPayload(secrets, id, { sessionId, identityId }),
      ...{ requestedIp: caller.ip, requestedAgent: caller.userAgent },
      lifeSeconds: lives[flowKind].maxSeconds,
    }
    const locale = caller.acceptLanguage ?? ''
    return { flow, mail: { kind, email: user.email, userId: user.id, flowId: id, locale, params, dedupe } }
  }

  return {
    async notify(tx, notice) {
      if (!isOffered(notice)) return
      const { flow, mail } = write(notice)
      await store.addFlow(tx, flow, clock.shiftMs)
      await outbox.add(tx, mail)
    },

    noticeParts(notice, { from }) {
      if (!isOffered(notice)) return []
      const { flow, mail } = write(notice)
      return [store.flowInsertion(flow, { from, shiftMs: clock.shiftMs }), outbox.insertionOf(mail, { from })]
    },
  }
}
