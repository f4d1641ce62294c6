import type { VNode } from 'preact'
import { Alert, ButtonLink } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'

/** Recovery codes, which are shown only here. */
export function RecoveryCodesPage({ codes, target }: { codes: readonly string[]; target: string }): VNode {
  const { t, appName } = usePage()
  const data = {
    'data-codes': '',
    'data-copy': t('recovery.copy'),
    'data-copied': t('recovery.copied'),
    'data-download': t('recovery.download'),
    'data-print': t('recovery.print'),
    'data-file': `${appName.replaceAll(/[^\p{L}\p{N}]+/gu, '-')}-recovery-codes.txt`,
  }
  return (
    <Layout title={t('recovery.title')} scripts={['recovery-codes.js']}>
      <p>{t('recovery.text')}</p>
      <Alert>{t('recovery.once')}</Alert>
      <ol class="codes" {...data}>
        {codes.map((code) => (
          <li key={code}>
            <code dir="ltr">{code}</code>
          </li>
        ))}
      </ol>
      {target.startsWith('/') ? (
        <ButtonLink path={target}>{t('recovery.done')}</ButtonLink>
      ) : (
        <a class="button primary" href={target}>
          {t('recovery.done')}
        </a>
      )}
    </Layout>
  )
}
