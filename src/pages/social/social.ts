import type { AppInstance } from '../../platform/http/app-instance.js'
import type { FurtherSteps } from '../../features/sign-in/sign-in.js'
import type { PageTools } from '../page-tools.js'
import { answerBrowsersWithPages } from '../problems/problems.js'
import { withReturnTo } from '../return-to.js'

/** Mounts a browser's way to other providers and back, which leads to these pages where more is asked for. */
export type MountSocial = (scope: AppInstance, steps?: FurtherSteps) => void

/** The way to other providers and back: what is refused on it is answered with pages, and second steps are ours. */
export function mountSocialPages(server: AppInstance, tools: PageTools, mount: MountSocial): void {
  void server.register((scope: AppInstance, _options, done) => {
    answerBrowsersWithPages(scope, tools)
    mount(scope, {
      secondFactor: (returnTo) => withReturnTo('/mfa', returnTo),
      confirmation(reply, flow, returnTo) {
        tools.returnCookie.keep(reply, flow.id, returnTo)
        return withReturnTo('/verify', returnTo)
      },
    })
    done()
  })
}
