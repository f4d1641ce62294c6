import type { VNode } from 'preact'
import { Alert } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import type { ShownProvider } from './provider-buttons.js'

/** What a page says of a sign-in or a link at another provider that came to nothing, by the value of `social` in its address. */
const texts = {
  denied: 'social.denied',
  link_denied: 'social.link_denied',
  link_required: 'social.link_required',
} as const satisfies Record<string, MessageKey>

export interface SocialNews {
  kind: keyof typeof texts
  /** The name of the provider. */
  provider: string
}

/** What the address of a page says; null for anything else, and for a provider that there is not. */
export function findSocialNews(
  { social = '', provider: id }: { social?: string | undefined; provider?: string | undefined },
  providers: readonly ShownProvider[],
): SocialNews | null {
  const provider = providers.find((each) => each.id === id)
  return provider !== undefined && isKind(social) ? { kind: social, provider: provider.name } : null
}

function isKind(kind: string): kind is keyof typeof texts {
  return Object.hasOwn(texts, kind)
}

export function SocialNewsAlert({ news: { kind, provider } }: { news: SocialNews }): VNode {
  const { t } = usePage()
  return <Alert>{t(texts[kind], { provider })}</Alert>
}
