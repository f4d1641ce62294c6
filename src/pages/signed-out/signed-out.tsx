import type { VNode } from 'preact'
import type { AppInstance } from '../../platform/http/app-instance.js'
import { claimsOf } from '../../platform/http/access.js'
import { callerOf } from '../../platform/http/caller.js'
import { genuineCookies } from '../../features/browser/browser.js'
import { ButtonLink } from '../layout/form.js'
import { Layout } from '../layout/layout.js'
import { usePage } from '../layout/page-context.js'
import type { MessageKey } from '../locales/messages.js'
import { forAnyone, forUsers, pageQuery } from '../page-routes.js'
import type { PageTools } from '../page-tools.js'

interface Farewell {
  title: MessageKey
  text: MessageKey
}

const here: Farewell = { title: 'signed_out.title', text: 'signed_out.here' }

const farewells: Readonly<Record<string, Farewell>> = {
  everywhere: { title: 'signed_out.title', text: 'signed_out.everywhere' },
  deleted: { title: 'signed_out.deleted_title', text: 'signed_out.deleted' },
}

/** Signing out, here and everywhere, and the page after it. */
export function mountSignedOut(scope: AppInstance, { rendering, families, cookies }: PageTools): void {
  scope.post('/account/sign-out', forUsers, async (request, reply) => {
    const refreshTokens = genuineCookies(request, { cookies, parse: families.parse })
    await families.logout({ refreshTokens, sessionIds: [claimsOf(request).sid] }, callerOf(request))
    cookies.clear(request, reply)
    return rendering.redirect(reply, '/signed-out')
  })

  scope.post('/account/sign-out-everywhere', forUsers, async (request, reply) => {
    await families.endAllSessions(claimsOf(request).sub, callerOf(request))
    cookies.clear(request, reply)
    return rendering.redirect(reply, '/signed-out?done=everywhere')
  })

  scope.get('/signed-out', { ...forAnyone, schema: { hide: true, querystring: pageQuery } }, (request, reply) =>
    rendering.send(reply, <SignedOutPage farewell={farewells[request.query.done ?? ''] ?? here} />),
  )
}

function SignedOutPage({ farewell }: { farewell: Farewell }): VNode {
  const { t } = usePage()
  return (
    <Layout title={t(farewell.title)}>
      <p>{t(farewell.text)}</p>
      <ButtonLink path="/signin" kind="secondary">
        {t('signed_out.again')}
      </ButtonLink>
    </Layout>
  )
}
