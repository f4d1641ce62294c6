import type { Mode } from '../../wire/mode.js'
import type { FlowKind } from './kinds.js'
import type { FlowState } from './judging.js'

/** A flow as it is stored. */
export interface Flow extends FlowState {
  id: string
  kind: FlowKind
  holderHash: Uint8Array | null
  linkHashes: Uint8Array[]
  codeMac: Uint8Array | null
  /** Set when the mail is sent, to the user who has the address; null before, and for an address without a user. */
  userId: string | null
  email: string | null
  mode: Mode
  remember: boolean
  deviceName: string | null
  /** The language that the request asked for. */
  locale: string | null
  payload: Uint8Array | null
  secretId: number | null
  requestedIp: string | null
  requestedAgent: string | null
  createdAt: Date
  sentAt: Date | null
}

/** A flow that a request has opened with a link or a code. */
export interface PresentedFlow extends Flow {
  /** Whether the request also has the token of the party that began the flow. */
  isHeld: boolean
}
