import type { VNode } from 'preact'
import type { Session } from '../../features/families/families.js'
import type { OwnIdentity } from '../identities/identity-pages.js'
import { Button, ButtonLink, Form } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { sayEndReason } from '../locales/end-reasons.js'
import { sayTime } from '../locales/times.js'

interface DevicesProps {
  /** With some of which the user may have signed in there. */
  identities: readonly OwnIdentity[]
  sessions: readonly Session[]
  currentId: string
  nextCursor: string | null
}

/** The devices on which the user is signed in, this one first. */
export function Devices({ identities, sessions, currentId, nextCursor }: DevicesProps): VNode {
  const { t, href } = usePage()
  const isCurrent = ({ family }: Session) => family.id === currentId
  const ordered = [...sessions.filter(isCurrent), ...sessions.filter((session) => !isCurrent(session))]
  return (
    <>
      <ul class="devices">
        {ordered.map((session) => (
          <Device
            key={session.family.id}
            session={session}
            isCurrent={isCurrent(session)}
            identity={identities.find(({ id }) => id === session.family.identityId)}
          />
        ))}
      </ul>
      {nextCursor !== null && (
        <p>
          <a href={href(`/account?cursor=${encodeURIComponent(nextCursor)}`)}>{t('account.more')}</a>
        </p>
      )}
      {sessions.length > 1 && (
        <Form action="/account/end-others">
          <Button kind="secondary">{t('account.end_others')}</Button>
        </Form>
      )}
    </>
  )
}

interface DeviceProps {
  session: Session
  isCurrent: boolean
  /** The account at another provider with which the user signed in. */
  identity: OwnIdentity | undefined
}

function Device({ session: { family }, isCurrent, identity }: DeviceProps): VNode {
  const { t, locale, now } = usePage()
  const name = family.deviceName ?? t('account.unknown_device')
  return (
    <li>
      <div>
        <p>
          <strong>
            <bdi>{name}</bdi>
          </strong>{' '}
          {isCurrent && <span class="badge current">{t('account.this_device')}</span>}
        </p>
        <p class="hint">
          {t('account.last_active', { when: sayTime(locale, family.lastUsedAt, now) })}
          {family.ip !== null && (
            <>
              {' · '}
              <bdi dir="ltr">{family.ip}</bdi>
            </>
          )}
          {identity !== undefined && ` · ${t('account.signed_in_with', { provider: identity.providerName })}`}
        </p>
      </div>
      <div class="actions">
        <ButtonLink
          path={`/account/sessions/${family.id}/name`}
          kind="secondary"
          label={t('account.rename_named', { device: name })}
        >
          {t('account.rename')}
        </ButtonLink>
        {!isCurrent && (
          <Form action={`/account/sessions/${family.id}/end`}>
            <Button kind="secondary" label={t('account.end_named', { device: name })}>
              {t('account.end')}
            </Button>
          </Form>
        )}
      </div>
    </li>
  )
}

/** The sessions that have ended, and why. */
export function EndedSessions({ sessions }: { sessions: readonly Session[] }): VNode | null {
  const { t, locale, now } = usePage()
  if (sessions.length === 0) return null
  return (
    <details>
      <summary>{t('account.ended')}</summary>
      <ul class="devices">
        {sessions.map(({ family, ended }) => (
          <li key={family.id}>
            <div>
              <p>
                <bdi>{family.deviceName ?? t('account.unknown_device')}</bdi>
              </p>
              {ended !== null && (
                <p class="hint">
                  {t('account.ended_when', {
                    when: sayTime(locale, ended.at, now),
                    reason: sayEndReason(t, ended.reason),
                  })}
                </p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </details>
  )
}
