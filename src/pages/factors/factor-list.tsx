import type { VNode } from 'preact'
import type { OwnFactors } from '../../features/account/account.js'
import { Section } from '../account/section.js'
import { Alert, ButtonLink } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { sayTime } from '../locales/times.js'

export type OwnFactor = Awaited<ReturnType<OwnFactors['list']>>['factors'][number]

/** From how few recovery codes on the user is warned, as in the API. */
const FEW_RECOVERY_CODES = 3

interface FactorListProps {
  factors: readonly OwnFactor[]
  recoveryCodesLeft: number
  /** Whether devices may be trusted (MFA_TRUST_DAYS). */
  canTrust: boolean
}

/** The second factors of the user, on the account page. */
export function FactorList({ factors, recoveryCodesLeft, canTrust }: FactorListProps): VNode {
  const { t } = usePage()
  const left = t('recovery.left', { left: recoveryCodesLeft })
  return (
    <Section id="factors" title={t('factors.title')}>
      <p>{t('factors.text')}</p>
      {factors.length > 0 && (
        <ul class="devices">
          {factors.map((factor) => (
            <FactorItem key={factor.id} factor={factor} />
          ))}
        </ul>
      )}
      <div class="actions">
        <ButtonLink path="/account/factors/passkey" kind="secondary">
          {t('passkey.create')}
        </ButtonLink>
        <ButtonLink path="/account/factors/totp" kind="secondary">
          {t('totp.title')}
        </ButtonLink>
      </div>
      {factors.length > 0 && (
        <>
          {recoveryCodesLeft > FEW_RECOVERY_CODES ? <p>{left}</p> : <Alert>{left}</Alert>}
          <ButtonLink path="/account/recovery-codes" kind="secondary">
            {t('recovery.new')}
          </ButtonLink>
        </>
      )}
      {factors.length > 0 && canTrust && (
        <p>
          {t('factors.trust_text')} <a href="#sign-out">{t('account.sign_out_everywhere')}</a>
        </p>
      )}
    </Section>
  )
}

function FactorItem({ factor }: { factor: OwnFactor }): VNode {
  const { t, locale, now } = usePage()
  const { id, name, lastUsedAt } = factor
  const kind = t('type' in factor ? 'factors.totp' : 'factors.passkey')
  const used =
    lastUsedAt === null ? t('factors.never_used') : t('factors.last_used', { when: sayTime(locale, lastUsedAt, now) })
  return (
    <li>
      <div>
        <p>
          <strong>
            <bdi>{name}</bdi>
          </strong>{' '}
          <span class="badge">{kind}</span>
        </p>
        <p class="hint">{used}</p>
      </div>
      <ButtonLink path={`/account/factors/${id}`} kind="secondary" label={t('factors.edit_named', { factor: name })}>
        {t('factors.edit')}
      </ButtonLink>
    </li>
  )
}
