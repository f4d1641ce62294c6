// Compiled by packages.test.ts without the types of Node, which the types of the packages do not need.

import { createClient, type AnyEndReason, type SessionEntry } from '@sallyport/client'
import { secondStep, type SecondStep } from '@sallyport/client/factors'
import { forgotPassword, type PendingFlow } from '@sallyport/client/mail'
import { finishProviderSignIn, type Provider, type ProviderRefusal } from '@sallyport/client/social'
import { createVerifier, serveResourceMetadata, type AccessTokenClaims } from '@sallyport/verifier'

const client = createClient({ baseUrl: 'https://auth.example.com', mode: 'cookie' })

export const reasonOf = (): AnyEndReason | null => (client.state.status === 'signed_out' ? client.state.reason : null)

export const devices = async (): Promise<SessionEntry[]> => client.sessions({ ended: true })

export const forget = async (email: string): Promise<PendingFlow> => forgotPassword(client, { email })

export const waiting = async (): Promise<SecondStep | null> => secondStep(client)

export const idsOf = (providers: Provider[]): string[] => providers.map(({ id }) => id)

export const refusal = async (): Promise<ProviderRefusal | null> => {
  const outcome = await finishProviderSignIn(client)
  return outcome?.status === 'refused' ? outcome : null
}

const verifier = createVerifier({
  issuer: 'https://auth.example.com',
  audience: 'https://auth.example.com',
  resource: { scopes: ['orders:read'] },
})

export const serveMetadata = serveResourceMetadata(verifier)

export const verifyStrongly = async (token: string): Promise<AccessTokenClaims> =>
  verifier.verify(token, { acr: 'aal2', maxAge: 300 })

export const verify = async (token: string): Promise<AccessTokenClaims> => verifier.verify(token)
