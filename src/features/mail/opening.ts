import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import { createInbox, type Inbox } from './inbox.js'
import type { Transport, TransportSettings } from './transport.js'

/** Opens the transport that is set; null where mail is off. Each kind is loaded only where it is used. */
export async function openTransport(
  settings: TransportSettings,
  { clock, log }: { clock: Clock; log: FastifyBaseLogger },
): Promise<{ transport: Transport | null; inbox: Inbox | null }> {
  const { transport, smtp, hook, ...sender } = settings
  if (smtp !== null) {
    const { createSmtpTransport } = await import('./smtp.js')
    return { transport: await createSmtpTransport(smtp, sender), inbox: null }
  }
  if (hook !== null) {
    const { createHookTransport } = await import('./hook.js')
    return { transport: createHookTransport(hook, { ...sender, clock }), inbox: null }
  }
  if (transport !== 'inbox') return { transport: null, inbox: null }
  const inbox = createInbox({ clock, log })
  return { transport: inbox, inbox }
}
