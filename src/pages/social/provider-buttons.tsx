import type { VNode } from 'preact'
import type { Providers } from '../../features/identities/identities.js'
import { ButtonLink } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { withReturnTo } from '../return-to.js'

/** A provider as the pages show it, in the order of PROVIDERS. */
export type ShownProvider = Pick<Providers['all'][number], 'id' | 'name'>

interface ProviderButtonsProps {
  providers: readonly ShownProvider[]
  /** Where the browser goes after the sign-in; empty for the account page. */
  returnTo: string
}

/**
 * The providers with which a visitor signs in or up. They are links, because the way to the provider is a redirect to another
 * site, which the policy for forms would forbid.
 */
export function ProviderButtons({ providers, returnTo }: ProviderButtonsProps): VNode {
  const { t } = usePage()
  return (
    <div class="choices">
      {providers.map(({ id, name }) => (
        <ButtonLink key={id} path={startPathOf(id, returnTo)} kind="secondary">
          {t('social.continue_with', { provider: name })}
        </ButtonLink>
      ))}
    </div>
  )
}

/** The same below a form, as another way to do what the form does. Nothing where there are no providers. */
export function OtherwiseProviders(props: ProviderButtonsProps): VNode | null {
  const { t } = usePage()
  if (props.providers.length === 0) return null
  return (
    <>
      <p class="divider">{t('social.or')}</p>
      <ProviderButtons {...props} />
    </>
  )
}

/** Where a sign-in at a provider begins. */
export function startPathOf(providerId: string, returnTo: string): string {
  return withReturnTo(`/v1/auth/social/${encodeURIComponent(providerId)}`, returnTo, { mode: 'session' })
}
