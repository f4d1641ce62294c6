import { ClientError, type Client } from '@sallyport/client'
import {
  finishProviderSignIn,
  identities,
  linkProvider,
  providers,
  signInWithProvider,
  unlinkIdentity,
  type Identity,
  type Provider,
} from '@sallyport/client/social'
import { onClick, reportFailure, tell } from './actions.js'
import { element, within } from './elements.js'
import { messageOf } from './messages.js'

/**
 * Signing in with other providers, and the linked accounts of the user. The browser leaves this page for the provider, and
 * comes back to it. Returns the function that completes what it comes back from, to be called before the session is restored.
 */
export function mountProviders(client: Client): () => Promise<void> {
  const group = element('login-providers', HTMLElement)
  const card = element('identities-card', HTMLElement)
  const list = element('identities', HTMLElement)
  const links = element('identity-links', HTMLElement)
  const loginOutcome = element('login-outcome', HTMLElement)
  const outcome = element('identities-outcome', HTMLElement)
  const remember = element('login-remember', HTMLInputElement)
  let shownFor: string | null = null
  let offered: Promise<Provider[]> | null = null

  // Asked once: it does not change while the page is open.
  const offer = () => (offered ??= providers(client))

  function button(text: string, where: HTMLElement, work: () => Promise<string | null>): HTMLButtonElement {
    const made = document.createElement('button')
    made.type = 'button'
    made.textContent = text
    onClick(made, where, work)
    return made
  }

  async function showButtons(): Promise<void> {
    const buttons = (await offer()).map(({ id, name }) =>
      button(`Continue with ${name}`, loginOutcome, async () => {
        await signInWithProvider(client, id, { remember: remember.checked })
        return null
      }),
    )
    group.replaceChildren(...buttons)
    group.hidden = buttons.length === 0
  }

  async function showIdentities(): Promise<void> {
    const [linked, all] = await Promise.all([identities(client), offer()])
    list.replaceChildren(...linked.map(present))
    links.replaceChildren(
      ...all.map(({ id, name }) =>
        button(`Link ${name}`, outcome, async () => {
          await linkProvider(client, id)
          return null
        }),
      ),
    )
    card.hidden = linked.length === 0 && all.length === 0
  }

  function present({ id, provider_name: provider, email, name }: Identity): DocumentFragment {
    const row = document.importNode(element('device', HTMLTemplateElement).content, true)
    within(row, '[data-part=name]', HTMLElement).textContent = provider
    within(row, '[data-part=facts]', HTMLElement).textContent = email ?? name ?? ''
    const unlink = within(row, '[data-part=end]', HTMLButtonElement)
    unlink.textContent = 'Unlink'
    unlink.setAttribute('aria-label', `Unlink ${provider}`)
    unlink.hidden = false
    onClick(unlink, outcome, async () => {
      await unlinkIdentity(client, id)
      await showIdentities()
      return `${provider} is unlinked.`
    })
    return row
  }

  client.onChange((state) => {
    const known = state.status === 'signed_in' ? (state.session?.id ?? '') : null
    if (known === shownFor && state.status !== 'signed_out') return
    shownFor = known
    if (state.status === 'signed_in') reportFailure(client, outcome, showIdentities())
    else showButtons().catch((error: unknown) => tell(loginOutcome, 'problem', messageOf(error)))
  })

  return async () => {
    try {
      const back = await finishProviderSignIn(client)
      if (back?.status === 'refused') tell(loginOutcome, 'problem', 'You have not signed in there. Try again.')
    } catch (error) {
      // The second step is shown where the page finds one.
      const isSecondStep = error instanceof ClientError && error.code === 'mfa_required'
      if (!isSecondStep) tell(loginOutcome, 'problem', messageOf(error))
    }
  }
}
