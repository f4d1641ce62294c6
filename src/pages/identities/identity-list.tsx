import type { VNode } from 'preact'
import { Section } from '../account/section.js'
import { ButtonLink } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { sayTime } from '../locales/times.js'
import type { ShownProvider } from '../social/provider-buttons.js'
import { linkPathOf, type OwnIdentity } from './identity-pages.js'

export interface IdentityListProps {
  identities: readonly OwnIdentity[]
  /** Those of PROVIDERS. */
  providers: readonly ShownProvider[]
}

/**
 * The accounts at other providers with which the user signs in, on the account page. Nothing without PROVIDERS, unless there is
 * one left of a time when it was set.
 */
export function IdentityList({ identities, providers }: IdentityListProps): VNode | null {
  const { t } = usePage()
  if (identities.length === 0 && providers.length === 0) return null
  const isLinked = ({ id }: ShownProvider) => identities.some(({ provider }) => provider === id)
  const others = providers.filter((provider) => !isLinked(provider))
  return (
    <Section id="identities" title={t('identities.title')}>
      <p>{t(identities.length > 0 ? 'identities.text' : 'identities.none')}</p>
      {identities.length > 0 && (
        <ul class="devices">
          {identities.map((identity) => (
            <IdentityItem key={identity.id} identity={identity} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <div class="actions">
          {others.map(({ id, name }) => (
            <ButtonLink key={id} path={linkPathOf(id)} kind="secondary">
              {t('identities.link', { provider: name })}
            </ButtonLink>
          ))}
        </div>
      )}
    </Section>
  )
}

function IdentityItem({ identity }: { identity: OwnIdentity }): VNode {
  const { t, locale, now } = usePage()
  const { id, providerName, isUsable, email, name, linkedAt, lastUsedAt } = identity
  const account = email ?? name
  const linked = t('identities.linked', { when: sayTime(locale, linkedAt, now) })
  const used =
    lastUsedAt === null ? t('factors.never_used') : t('factors.last_used', { when: sayTime(locale, lastUsedAt, now) })
  return (
    <li>
      <div>
        <p>
          <strong>
            <bdi>{providerName}</bdi>
          </strong>{' '}
          {!isUsable && <span class="badge">{t('identities.unusable')}</span>}
        </p>
        {account !== null && (
          <p>
            <bdi>{account}</bdi>
          </p>
        )}
        <p class="hint">{`${linked} · ${used}`}</p>
      </div>
      <ButtonLink
        path={`/account/identities/${id}`}
        kind="secondary"
        label={t('identities.unlink_named', { provider: providerName, account: account ?? '' }).trim()}
      >
        {t('identities.unlink')}
      </ButtonLink>
    </li>
  )
}
