import type { KoaContextWithOIDC, interactionPolicy } from 'oidc-provider'
import { z } from 'zod'
import { documentHostOf } from '../../clients/clients.js'
import { ownMetadataOf } from './client.js'
import type { ProviderContext } from './context.js'

/** What an interaction remembers of the browser's session, as it was when the user was asked to sign in. */
export const loginDetails = z.object({
  /** The id of the session; absent where there was none. */
  session: z.string().optional(),
  /** When its user had authenticated, in seconds since 1970. */
  authenticated_at: z.number().optional(),
  login_hint: z.string().optional(),
})

/** The name of a parameter of ours: `prompt=consent` was added, because `offline_access` needs it. */
export const IMPLIED_CONSENT = 'sallyport_implied_consent'

/** When a user is asked to sign in, to authenticate again, or to consent. */
export function createPolicy({ library, clock }: ProviderContext): interactionPolicy.DefaultPolicy {
  const { base, Check, Prompt } = library.interactionPolicy
  const policy = base()
  const isFirstParty = ({ oidc: { client } }: KoaContextWithOIDC) =>
    client !== undefined && ownMetadataOf(client).first_party

  const login = new Prompt(
    { name: 'login', requestable: true },
    ({ oidc: { session, params } }) => ({
      ...(session?.accountId !== undefined && { session: session.uid, authenticated_at: session.loginTs }),
      login_hint: params?.['login_hint'],
    }),
    // By the database's clock, which the time of the authentication comes from.
    new Check('max_age', 'End-User authentication could not be obtained', 'login_required', ({ oidc }) => {
      const { session, params, result } = oidc
      const maxAge = params?.['max_age']
      if (maxAge === undefined || session?.accountId === undefined) return false
      return clock.now().getTime() / 1000 - (session.loginTs ?? 0) > Number(maxAge) && result?.login === undefined
    }),
    ...(policy.get('login')?.checks ?? []).filter(({ reason }) => reason !== 'login_prompt' && reason !== 'max_age'),
  )
  const consent = new Prompt(
    { name: 'consent', requestable: true },
    // RFC 8252, section 8.6: another app can take the name of one that has no secret.
    new Check('native_client_prompt', 'native clients require End-User interaction', 'interaction_required', (ctx) => {
      const { client, deviceCode, result } = ctx.oidc
      // The code shows which device it is.
      if (deviceCode !== undefined) return false
      if (client === undefined || isFirstParty(ctx) || result?.consent !== undefined) return false
      // What a metadata document says, its host can change at any time, without being asked.
      return client.applicationType === 'native' || documentHostOf(client.clientId) !== null
    }),
    ...(policy.get('consent')?.checks ?? []).filter(
      ({ reason }) => reason !== 'consent_prompt' && reason !== 'native_client_prompt',
    ),
  )
  consent.checks.remove('consent_prompt')
  const consentPrompt = new Check('consent_prompt', 'consent prompt was not resolved', 'consent_required', (ctx) => {
    const { oidc } = ctx
    const isImplied = oidc.params?.[IMPLIED_CONSENT] !== undefined
    return oidc.prompts.has('consent') && oidc.promptPending('consent') && !isFirstParty(ctx) && !isImplied
  })
  consent.checks.add(consentPrompt, 0)
  policy.clear()
  policy.add(login)
  policy.add(consent)
  return policy
}
