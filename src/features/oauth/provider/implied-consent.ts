import { parseScope } from '../scopes.js'
import { IMPLIED_CONSENT } from './policy.js'

/**
 * The URL of an authorization request, in which `offline_access` comes with `prompt=consent`: OpenID Connect Core (section
 * 11) wants it, the library ignores the scope without it, and most clients do not know. It is marked as ours, so that a user
 * is only asked for what was not granted before. With `prompt=none`, what was not granted cannot be asked for.
 */
export function implyConsent(url: string): string {
  const [path = '', query = ''] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  const prompts = parseScope(parameters.get('prompt') ?? undefined)
  const isImplied =
    path === '/oauth/authorize' &&
    parseScope(parameters.get('scope') ?? undefined).includes('offline_access') &&
    !prompts.includes('consent') &&
    !prompts.includes('none')
  if (!isImplied) return url
  parameters.set('prompt', [...prompts, 'consent'].join(' '))
  parameters.set(IMPLIED_CONSENT, '1')
  return `${path}?${parameters.toString()}`
}
