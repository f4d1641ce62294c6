import type { z } from 'zod'
import { open, seal } from '../../platform/crypto/sealing.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Flow } from './flow.js'

const PURPOSE = 'flow-payload'

/** Encrypts what the end of a flow needs, bound to the flow, as its row keeps it. */
export function sealPayload(secrets: SecretKeys, flowId: string, payload: object): Pick<Flow, 'payload' | 'secretId'> {
  const { sealed, secretId } = seal(secrets, PURPOSE, Buffer.from(JSON.stringify(payload)), flowId)
  return { payload: sealed, secretId }
}

/** The payload of a flow; null where it has none, or where the secret that it was encrypted under is not listed any more. */
export function openPayload<Schema extends z.ZodType>(
  secrets: SecretKeys,
  { id, payload, secretId }: Pick<Flow, 'id' | 'payload' | 'secretId'>,
  schema: Schema,
): z.output<Schema> | null {
  const opened = payload === null || secretId === null ? null : open(secrets, PURPOSE, secretId, payload, id)
  return opened === null ? null : schema.parse(JSON.parse(opened.toString()))
}
