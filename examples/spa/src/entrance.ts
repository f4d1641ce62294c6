import type { Client, ClientState } from '@sallyport/client'
import { onClick, tell } from './actions.js'
import { element } from './elements.js'
import { messageOf } from './messages.js'

/**
 * Shows the part of the page for signed-in or signed-out users, and the button to log out. `comeBack` completes a sign-in at
 * a provider, before the session is restored.
 */
export function mountEntrance(client: Client, comeBack: () => Promise<void>): void {
  const parts = {
    unknown: element('unknown', HTMLElement),
    signed_in: element('signed-in', HTMLElement),
    signed_out: element('signed-out', HTMLElement),
  }
  const headings = {
    signed_in: element('greeting', HTMLHeadingElement),
    signed_out: element('signed-out-title', HTMLHeadingElement),
  }
  let shown: ClientState['status'] = 'unknown'

  client.onChange((state) => {
    const { status } = state
    if (state.status === 'signed_in') headings.signed_in.textContent = greet(state.user)
    if (status === shown || status === 'unknown') return
    for (const [name, part] of Object.entries(parts)) part.hidden = name !== status
    // The focused element is hidden now.
    if (shown !== 'unknown') headings[status].focus()
    shown = status
  })

  onClick(element('logout', HTMLButtonElement), element('logout-problem', HTMLElement), async () => {
    await client.logout()
    return null
  })

  const askAgain = element('ask-again', HTMLButtonElement)
  askAgain.addEventListener('click', () => void ask())
  void ask()

  async function ask(): Promise<void> {
    askAgain.hidden = true
    try {
      await comeBack()
      await client.restore()
      // A logout on another device is shown immediately, and the access token is refreshed when it expires.
      client.followEvents()
    } catch (error) {
      tell(element('unknown-text', HTMLElement), 'problem', messageOf(error))
      askAgain.hidden = false
    }
  }
}

function greet(user: { name: string | null } | null): string {
  return user?.name ? `Welcome, ${user.name}` : 'Welcome'
}
