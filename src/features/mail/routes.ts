import { z } from 'zod'
import { requireThisMachine } from '../../platform/http/loopback.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Inbox, InboxMail } from './inbox.js'

const inboxSchema = z.object({
  mails: z.array(
    z.object({
      ...{ id: z.string(), kind: z.string(), to: z.string(), subject: z.string(), text: z.string(), html: z.string() },
      ...{ link: z.string().optional(), code: z.string().optional(), sent_at: z.iso.datetime() },
    }),
  ),
})

/** GET /dev/inbox.json, for tests of applications: mounted only where there is a development inbox. */
export function mountMailRoutes(app: AppInstance, { inbox }: { inbox: Inbox }): void {
  app.get(
    '/dev/inbox.json',
    {
      schema: {
        hide: true,
        querystring: z.strictObject({ to: z.string().optional() }),
        response: { 200: inboxSchema },
      },
      config: { access: 'public' },
    },
    (request) => {
      requireThisMachine(request)
      return Promise.resolve({ mails: inbox.list(request.query).map(presentMail) })
    },
  )
}

function presentMail({ id, kind, to, subject, text, html, link, code, sentAt }: InboxMail) {
  return {
    ...{ id, kind, to, subject, text, html },
    ...(link !== undefined && { link }),
    ...(code !== undefined && { code }),
    sent_at: sentAt.toISOString(),
  }
}
