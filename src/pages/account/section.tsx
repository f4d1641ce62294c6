import type { ComponentChildren, VNode } from 'preact'
import { usePage } from '../layout/page-context.js'

/** A part of the account page. */
export function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }): VNode {
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  )
}

export function BackToAccount(): VNode {
  const { t, href } = usePage()
  return (
    <p class="aside">
      <a href={href('/account')}>{t('common.back')}</a>
    </p>
  )
}
