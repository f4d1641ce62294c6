// Content of the tables that no response of the API contains.

import type { Database } from '../../src/platform/database/database.js'

export function readFamily(database: Database, sessionId: string) {
  return database.query((client) => client.refreshTokenFamily.findUniqueOrThrow({ where: { id: sessionId } }))
}

/** The names of the audited events of a session, in order of time; repetitions follow the first. */
export async function readAuditTrail(database: Database, sessionId: string): Promise<string[]> {
  const events = await database.query((client) =>
    client.auditEvent.findMany({ where: { sessionId }, orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  )
  return events.flatMap(({ event, times }) => Array<string>(times).fill(event))
}

/** Every row that a request may write, to show that one has written nothing. */
export function readAllRows(database: Database) {
  return database.query(async (client) => ({
    users: await client.user.findMany({ orderBy: { id: 'asc' } }),
    families: await client.refreshTokenFamily.findMany({ orderBy: { id: 'asc' } }),
    revocations: await client.revocation.findMany({ orderBy: { id: 'asc' } }),
    clientRevocations: await client.clientRevocation.findMany({ orderBy: { id: 'asc' } }),
    clients: await client.oAuthClient.findMany({ orderBy: { id: 'asc' } }),
    resources: await client.oAuthResource.findMany({ orderBy: { identifier: 'asc' } }),
    flows: await client.flow.findMany({ orderBy: { id: 'asc' } }),
    mails: await client.mail.findMany({ orderBy: { id: 'asc' } }),
    backchannelLogouts: await client.backchannelLogout.findMany({ orderBy: { id: 'asc' } }),
    events: await client.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  }))
}
