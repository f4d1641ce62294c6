import { byOperator, type AdministrationOptions } from './context.js'

type Context = Pick<AdministrationOptions, 'clients' | 'families'>

/** Disables a client first, so that it gets no new family while those that it has are ended, in batches. */
export async function disableClient({ clients, families }: Context, clientId: string): Promise<boolean> {
  const isNew = await clients.disable(clientId)
  await families.endClient(clientId, { reason: 'revoked_by_admin', by: byOperator })
  return isNew
}

/** Removes a client last, so that the command can be repeated if it was interrupted. */
export async function removeClient(context: Context, clientId: string): Promise<void> {
  await disableClient(context, clientId)
  await context.clients.remove(clientId)
}
