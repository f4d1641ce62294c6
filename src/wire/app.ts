import { z } from 'zod'

/** An application that acts for a user: an OAuth client. Times are ISO 8601, in UTC. */
export interface PresentedApp {
  client_id: string
  name: string
  /** What the user has let it do. */
  scopes: string[]
  /** When the oldest of its active sessions began. */
  first_used_at: string
  last_used_at: string
}

/** For the documentation. */
export const exampleApp = {
  client_id: 'orders-app',
  name: 'Orders',
  scopes: ['offline_access', 'openid', 'orders:read'],
  first_used_at: '2026-01-01T00:00:00.000Z',
  last_used_at: '2026-01-02T00:00:00.000Z',
}

export const appSchema = z
  .object({
    client_id: z.string(),
    name: z.string().meta({ description: 'The id, where the client has no name.' }),
    scopes: z.array(z.string()).meta({ description: 'What the user has let it do.' }),
    first_used_at: z.iso.datetime().meta({ description: 'When the oldest of its active sessions began.' }),
    last_used_at: z.iso.datetime(),
  })
  .meta({
    id: 'App',
    description: 'An application that acts for the user.',
    examples: [exampleApp],
  }) satisfies z.ZodType<PresentedApp>
