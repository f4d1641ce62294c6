import type { VNode } from 'preact'
import type { OwnApp } from '../../features/account/account.js'
import { Button, Form } from '../layout/form.js'
import { usePage } from '../layout/page-context.js'
import { sayTime } from '../locales/times.js'
import { textOfScope } from '../oauth/scope-text.js'
import { Section } from './section.js'

/** The applications that act for the user; nothing where there are none. */
export function Apps({ apps }: { apps: readonly OwnApp[] }): VNode | null {
  const { t, locale, now } = usePage()
  const sayAll = (texts: string[]) => new Intl.ListFormat(locale, { type: 'unit' }).format(texts)
  if (apps.length === 0) return null
  return (
    <Section id="apps" title={t('account.apps')}>
      <p>{t('account.apps_text')}</p>
      <ul class="devices">
        {apps.map(({ clientId, name, scopes, lastUsedAt }) => (
          <li key={clientId}>
            <div>
              <p>
                <strong>
                  <bdi>{name}</bdi>
                </strong>
              </p>
              <p class="hint">{t('account.app_used', { when: sayTime(locale, lastUsedAt, now) })}</p>
              {scopes.length > 0 && (
                <p class="hint">
                  <bdi>{sayAll(scopes.map((scope) => textOfScope(scope, t)))}</bdi>
                </p>
              )}
            </div>
            <div class="actions">
              <Form action={`/account/apps/${encodeURIComponent(clientId)}/end`}>
                <Button kind="secondary" label={t('account.app_end_named', { app: name })}>
                  {t('account.app_end')}
                </Button>
              </Form>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}
