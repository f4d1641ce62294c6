import type { usePage } from '../layout/page-context.js'
import { isMessageKey } from '../locales/messages.js'

/** What a scope allows, in words; those of resources have none but their names. */
export function textOfScope(scope: string, t: ReturnType<typeof usePage>['t']): string {
  const key = `oauth.scope_${scope}`
  return isMessageKey(key) ? t(key) : scope
}
