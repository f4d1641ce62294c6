import type { VNode } from 'preact'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { retryAfterSecondsOf } from '../../platform/http/problem-details.js'
import type { Problem } from '../../platform/problem.js'
import { ButtonLink } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { sayWait } from '../locales/times.js'
import { linkedPath, withReturnTo } from '../return-to.js'
import { startPathOf, type ShownProvider } from './provider-buttons.js'

interface Refusal {
  title: MessageKey
  text: MessageKey
  /** Whether the same sign-in may succeed when it is begun once more. */
  isWorthRepeating: boolean
}

/** What people meet on the way to a provider and back. The other problems have pages that are not about providers. */
const refusals: Partial<Record<ProblemCode, Refusal>> = {
  social_attempt_invalid: { title: 'social.over_title', text: 'social.over_text', isWorthRepeating: true },
  provider_response_invalid: { title: 'social.response_title', text: 'social.response_text', isWorthRepeating: true },
  provider_unavailable: { title: 'social.unavailable_title', text: 'social.unavailable_text', isWorthRepeating: true },
  email_required: { title: 'social.email_title', text: 'social.email_text', isWorthRepeating: true },
  identity_taken: { title: 'social.taken_title', text: 'social.taken_text', isWorthRepeating: false },
  account_banned: { title: 'social.banned_title', text: 'error.banned', isWorthRepeating: false },
  registration_closed: { title: 'social.closed_title', text: 'social.closed_text', isWorthRepeating: false },
}

/** Where a sign-in was refused, and where it was going; empty if that is not known. */
interface RefusedAt {
  provider: ShownProvider
  returnTo: string
}

/** The page of a refusal; null for a problem that has none. */
export function refusalPageOf(problem: Problem, at: RefusedAt): VNode | null {
  const refusal = refusals[problem.code]
  return refusal === undefined ? null : <RefusalPage {...{ ...at, problem, refusal }} />
}

/** Says in plain words why it ends here, and leads on: once more, another way, or back to the account for a link. */
function RefusalPage(props: RefusedAt & { problem: Problem; refusal: Refusal }): VNode {
  const { problem, provider, returnTo, refusal } = props
  const { t, locale, href } = usePage()
  const isLink = returnTo === linkedPath
  const words = { provider: provider.name, when: sayWait(locale, retryAfterSecondsOf(problem) ?? 60) }
  const other = isLink ? '/account' : withReturnTo('/signin', returnTo)
  const otherText = t(isLink ? 'problem.account' : 'social.other_way')
  // A link needs another ticket, which the account page leads to.
  const isRepeated = refusal.isWorthRepeating && !isLink
  return (
    <Layout title={t(refusal.title, words)}>
      <p>{t(refusal.text, words)}</p>
      {isRepeated ? (
        <>
          <ButtonLink path={startPathOf(provider.id, returnTo)}>{t('social.again')}</ButtonLink>
          <p class="aside">
            <a href={href(other)}>{otherText}</a>
          </p>
        </>
      ) : (
        <ButtonLink path={other}>{otherText}</ButtonLink>
      )}
    </Layout>
  )
}
