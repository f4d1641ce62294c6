import type { Client } from '@sallyport/client'
import {
  cancelEmailChange,
  forgetPendingFlow,
  pendingFlow,
  resend,
  resetPassword,
  signInWithCode,
  verifyEmail,
  type PendingFlow,
} from '@sallyport/client/mail'
import { onClick, onSubmit } from './actions.js'
import { element, showText } from './elements.js'

const purposes: Record<PendingFlow['kind'], string> = {
  register: 'It confirms the address and completes the registration.',
  verify_email: 'It confirms your address.',
  otp: 'It logs you in.',
  reset_password: 'It lets you choose a new password.',
  email_change: 'It confirms your new address.',
}

/**
 * The code from a mail that this page waits for, also after a reload. The link in the mail does the same, on a page of
 * Sallyport. Returns the function that looks again whether a mail is awaited.
 */
export function mountMailCode(client: Client, showSecondStep: (error: unknown) => Promise<void>): () => Promise<void> {
  const form = element('mail-code', HTMLFormElement)
  const to = element('mail-to', HTMLElement)
  const purpose = element('mail-purpose', HTMLElement)
  const passwordField = element('mail-password-field', HTMLElement)
  const password = element('mail-password', HTMLInputElement)
  const done = element('mail-done', HTMLElement)
  let pending: PendingFlow | null = null

  async function show(): Promise<void> {
    const former = pending
    pending = await pendingFlow(client)
    form.hidden = pending === null
    if (pending === null || pending.kind !== former?.kind) form.reset()
    if (pending === null) return
    showText(done, null)
    to.textContent = pending.to
    purpose.textContent = purposes[pending.kind]
    passwordField.hidden = pending.kind !== 'reset_password'
    password.required = pending.kind === 'reset_password'
  }

  /** Presents the code as what is awaited requires, and returns what to say afterwards. */
  async function present(code: string, newPassword: string): Promise<string | null> {
    if (pending?.kind === 'otp') {
      await signInWithCode(client, { code })
      return null
    }
    if (pending?.kind === 'reset_password') {
      await resetPassword(client, { code, new_password: newPassword })
      return 'The new password is set. Log in with it.'
    }
    await verifyEmail(client, { code })
    return 'Your address is confirmed.'
  }

  onSubmit(form, async (read) => {
    try {
      const said = await present(read('code'), read('new_password')).catch(showSecondStep)
      showText(done, said ?? null)
    } finally {
      // After some refusals the code is over.
      await show()
    }
    return null
  })

  const outcome = element('mail-outcome', HTMLElement)
  onClick(element('mail-again', HTMLButtonElement), outcome, async () => {
    const waitSeconds = Math.ceil(((pending?.resendAt.getTime() ?? 0) - Date.now()) / 1000)
    if (waitSeconds > 0) return `The next one can be sent in ${waitSeconds} s.`
    await resend(client)
    await show()
    return 'Another mail is on its way.'
  })
  onClick(element('mail-stop', HTMLButtonElement), outcome, async () => {
    if (pending?.kind === 'email_change') await cancelEmailChange(client)
    await forgetPendingFlow(client)
    await show()
    return null
  })

  // The link may have been opened in another tab, which shares the cookies.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible' || pending === null) return
    const asked = client.state.status === 'signed_in' ? client.me() : client.restore()
    asked.catch((error: unknown) => console.error(error))
  })

  client.onChange(({ status }) => {
    if (status !== 'unknown') void show()
  })
  return show
}
