// The parts of a browser that ceremonies of passkeys need, over the authenticator in software.

import { createAuthenticator, type Changes, type PasskeyHolder } from './authenticator.js'

interface CreateOptions {
  publicKey: {
    challenge: ArrayBuffer
    rp: { id: string; name: string }
    user: { id: ArrayBuffer; name: string; displayName: string }
    pubKeyCredParams: { alg: number }[]
    excludeCredentials: { id: ArrayBuffer }[]
  }
}

interface GetOptions {
  publicKey: { challenge: ArrayBuffer; rpId: string; userVerification: string }
  mediation?: 'conditional'
  signal: AbortSignal
}

export interface FakeBrowser {
  /** The passkey of the authenticator, if there is one. */
  holder: PasskeyHolder | null
  /** What it signs otherwise than it should. */
  changes: Changes
  /** Whether the user chooses a passkey, or lets the dialog wait. */
  answers: boolean
  /** What the browser was told by the Signal API, in order. */
  signals: [name: string, options: Record<string, unknown>][]
  /** How many ceremonies have asked for a passkey. */
  asked: number
}

/** Makes this process a browser, for one test. */
export function installBrowser(t: { teardown(work: () => void): void }, origin: string): FakeBrowser {
  const authenticator = createAuthenticator(origin)
  const browser: FakeBrowser = { holder: null, changes: {}, answers: true, signals: [], asked: 0 }
  const signal = (name: string) => (options: Record<string, unknown>) => {
    browser.signals.push([name, options])
    return Promise.resolve()
  }

  function create({ publicKey }: CreateOptions) {
    const { challenge, user, excludeCredentials } = publicKey
    const { holder } = browser
    if (excludeCredentials.some(({ id }) => encoded(id) === holder?.id)) throw named('InvalidStateError')
    const options = { ...publicKey, challenge: encoded(challenge), user: { ...user, id: encoded(user.id) } }
    const made = authenticator.create({ ...options, excludeCredentials: [], authenticatorSelection: {} })
    browser.holder = made.holder
    const { id, response } = made.credential
    return Promise.resolve(credentialOf(id, { ...decoded(response, 'transports'), getTransports: () => ['internal'] }))
  }

  async function get({ publicKey, signal: aborted }: GetOptions) {
    browser.asked += 1
    const { holder, answers, changes } = browser
    if (!answers)
      await new Promise((_resolve, reject) => aborted.addEventListener('abort', () => reject(named('AbortError'))))
    if (holder === null) throw named('NotAllowedError')
    const { id, response } = holder.get({ ...publicKey, challenge: encoded(publicKey.challenge) }, changes)
    return credentialOf(id, decoded(response))
  }

  const PublicKeyCredential = Object.assign(function PublicKeyCredential() {}, {
    isConditionalMediationAvailable: () => Promise.resolve(true),
    signalUnknownCredential: signal('unknown'),
    signalAllAcceptedCredentials: signal('accepted'),
    signalCurrentUserDetails: signal('details'),
  })
  replace(t, 'PublicKeyCredential', PublicKeyCredential)
  replace(t, 'navigator', { credentials: { create, get } })
  replace(t, 'document', { querySelectorAll: () => [] })
  return browser
}

function replace(t: { teardown(work: () => void): void }, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, name)
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  t.teardown(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, name)
    else Object.defineProperty(globalThis, name, before)
  })
}

const encoded = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64url')

function decoded(response: Record<string, string | string[]>, ...others: string[]) {
  const texts = Object.entries(response).filter(([name]) => !others.includes(name))
  return Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(String(text), 'base64url')]))
}

function credentialOf(id: string, response: object) {
  const rawId = Buffer.from(id, 'base64url')
  return { id, rawId, type: 'public-key', response, getClientExtensionResults: () => ({}) }
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name })
}
