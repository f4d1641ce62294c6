import type { VNode } from 'preact'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { requireThisMachine } from '../../platform/http/loopback.js'
import { Problem } from '../../platform/problem.js'
import type { Inbox, InboxMail } from '../../features/mail/mail.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import { sayTime } from '../locales/times.js'
import { forAnyone } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'

// The mail is shown as in a mail program, which runs no scripts and loads nothing from elsewhere.
const mailHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
  'x-frame-options': 'SAMEORIGIN',
}

/** /dev/inbox: the mails of the development inbox, in a page that updates itself. Only for browsers on this machine. */
export function mountInbox(scope: AppInstance, { rendering }: PageTools, inbox: Inbox): void {
  scope.get('/dev/inbox', forAnyone, (request, reply) => {
    requireThisMachine(request)
    return rendering.send(reply, <InboxPage mails={inbox.list()} />, { frames: true })
  })

  scope.get<{ Params: { id: string } }>('/dev/inbox/:id', forAnyone, (request, reply) => {
    requireThisMachine(request)
    const mail = inbox.list().find(({ id }) => id === request.params.id)
    if (mail === undefined) throw new Problem('not_found')
    return reply.headers(mailHeaders).send(mail.html)
  })
}

function InboxPage({ mails }: { mails: readonly InboxMail[] }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t('inbox.title')} isWide scripts={['update-inbox.js']}>
      <p>{t('inbox.text')}</p>
      <div id="mails" class="mails" aria-live="polite">
        {mails.length === 0 && <p class="hint">{t('inbox.empty')}</p>}
        {mails.map((mail) => (
          <Mail key={mail.id} mail={mail} />
        ))}
      </div>
    </Layout>
  )
}

function Mail({ mail }: { mail: InboxMail }): VNode {
  const { t, locale, now, href } = usePage()
  return (
    <article class="card" id={mail.id}>
      <h2>
        <bdi>{mail.subject}</bdi>
      </h2>
      <p class="hint">
        <bdi>{mail.to}</bdi> · {sayTime(locale, mail.sentAt, now)}
      </p>
      {mail.code !== undefined && (
        <p>
          {t('inbox.code')}{' '}
          <strong>
            <bdi dir="ltr">{mail.code.replace(/^(\d{4})(?=\d{4}$)/, '$1 ')}</bdi>
          </strong>
        </p>
      )}
      {mail.link !== undefined && (
        <a class="button primary" href={mail.link}>
          {t('inbox.link')}
        </a>
      )}
      <details>
        <summary>{t('inbox.mail')}</summary>
        <iframe src={href(`/dev/inbox/${mail.id}`)} title={mail.subject} loading="lazy" sandbox=""></iframe>
      </details>
      <details>
        <summary>{t('inbox.plain')}</summary>
        <pre>{mail.text}</pre>
      </details>
    </article>
  )
}
