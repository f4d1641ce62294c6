// The virtual authenticator of Chromium (WebDriver's extension for WebAuthn, over CDP): one inside the device, which verifies
// its user and keeps passkeys.

import type { CDPSession, Page } from 'playwright-core'

export interface VirtualAuthenticator {
  id: string
  devtools: CDPSession
  /** The ids of its passkeys. */
  passkeys(): Promise<string[]>
  /** What the browser has told it, as events of the protocol. */
  events: { name: string; credential?: { userName?: string; userDisplayName?: string } }[]
  /** Whether it verifies its user, as from now. */
  verifyUser(isUserVerified: boolean): Promise<void>
}

export async function addAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId: id } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  const events: VirtualAuthenticator['events'] = []
  devtools.on('WebAuthn.credentialUpdated', ({ credential }) => events.push({ name: 'updated', credential }))
  devtools.on('WebAuthn.credentialDeleted', () => events.push({ name: 'deleted' }))
  return {
    id,
    devtools,
    events,
    async passkeys() {
      const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId: id })
      return credentials.map(({ credentialId }) => credentialId)
    },
    async verifyUser(isUserVerified) {
      await devtools.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified })
    },
  }
}

/** As browsers without conditional UI, which have the button alone: the virtual authenticator would choose its only passkey. */
export async function withoutConditionalUi(page: Page): Promise<void> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)
  })
}
