import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Platform, TabChannel } from './platform.js'
import type { Held } from './held.js'

/** Messages between the tabs of one origin. Only scripts of that origin receive them, and these could refresh themselves. */
type Message =
  | { type: 'tokens'; held: Held }
  | { type: 'ended'; sessionId: string | null; reason: AnyEndReason | null }
  | { type: 'asked' }

export interface TabListener {
  onTokens(held: Held): void
  /** `sessionId` is null if the sending tab did not know it. */
  onEnd(sessionId: string | null, reason: AnyEndReason | null): void
  /** The valid tokens to send to a tab that asks for them. */
  onAsked(): Held | null
}

export interface Tabs {
  listen(listener: TabListener): void
  tellTokens(held: Held): void
  tellEnd(sessionId: string | null, reason: AnyEndReason | null): void
  /** Asks other tabs for their tokens, which are passed to the listener. */
  ask(): void
  close(): void
}

/** Creates the channel to other tabs, if the platform supports one. */
export function createTabs({ BroadcastChannel }: Platform, name: string): Tabs {
  const channel: TabChannel | null = BroadcastChannel ? new BroadcastChannel(name) : null
  channel?.unref?.()
  const post = (message: Message) => channel?.postMessage(message)

  return {
    listen(listener) {
      if (channel === null) return
      channel.onmessage = ({ data }) => {
        const message = readMessage(data)
        if (message === null) return
        switch (message.type) {
          case 'tokens':
            listener.onTokens(message.held)
            break
          case 'ended':
            listener.onEnd(message.sessionId, message.reason)
            break
          case 'asked': {
            const held = listener.onAsked()
            if (held) post({ type: 'tokens', held })
          }
        }
      }
    },
    tellTokens: (held) => post({ type: 'tokens', held }),
    tellEnd: (sessionId, reason) => post({ type: 'ended', sessionId, reason }),
    ask: () => post({ type: 'asked' }),
    close: () => channel?.close(),
  }
}

/** The name of the channel contains a version, so any message with a type is of this version. */
function readMessage(data: unknown): Message | null {
  return typeof data === 'object' && data !== null && 'type' in data ? (data as Message) : null
}
