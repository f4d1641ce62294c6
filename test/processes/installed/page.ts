// What packages.test.ts compiles as a page, which knows nothing of Node.

import { createClient, type EndReason, type SessionEntry } from '@sallyport/client'

const client = createClient({ baseUrl: 'https://auth.example.com', mode: 'cookie' })

export const reasonOf = (): EndReason | null => (client.state.status === 'signed_out' ? client.state.reason : null)

export const devices = async (): Promise<SessionEntry[]> => client.sessions({ ended: true })
