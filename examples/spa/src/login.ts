import type { Client } from '@sallyport/client'
import { forgotPassword, requestCode } from '@sallyport/client/mail'
import { offerPasskeys, signInWithPasskey } from '@sallyport/client/passkeys'
import { onClick, onSubmit, tell } from './actions.js'
import { element, showText } from './elements.js'
import { describeEnd, messageOf } from './messages.js'

interface NextSteps {
  showMailCode: () => Promise<void>
  showSecondStep: (error: unknown) => Promise<void>
}

/**
 * The login and registration forms, signing in with a passkey, and why the session ended. `showMailCode` shows the field for the code, after a request
 * that sends a mail, and `showSecondStep` the one for a second factor, after an error that asks for it.
 */
export function mountLogin(client: Client, { showMailCode, showSecondStep }: NextSteps): void {
  const forms = { login: element('login', HTMLFormElement), register: element('register', HTMLFormElement) }
  const buttons = {
    login: element('choose-login', HTMLButtonElement),
    register: element('choose-register', HTMLButtonElement),
  }
  const remember = element('login-remember', HTMLInputElement)

  buttons.login.addEventListener('click', () => choose('login'))
  buttons.register.addEventListener('click', () => choose('register'))

  function choose(chosen: 'login' | 'register'): void {
    for (const name of ['login', 'register'] as const) {
      forms[name].hidden = name !== chosen
      buttons[name].setAttribute('aria-pressed', String(name === chosen))
    }
  }

  onSubmit(forms.login, async (read) => {
    const request = { email: read('email'), password: read('password'), remember: remember.checked }
    await client.login(request).catch(showSecondStep)
    forms.login.reset()
    return null
  })

  const email = element('login-email', HTMLInputElement)
  const outcome = element('login-outcome', HTMLElement)

  // The dialog ends what the autofill has begun; where it is dismissed, the autofill offers the passkeys again.
  onClick(element('login-passkey', HTMLButtonElement), outcome, async () => {
    await signInWithPasskey(client, { remember: remember.checked }).catch((error: unknown) => {
      void offer()
      throw error
    })
    return null
  })

  let offering: AbortController | null = null

  /** Offers passkeys in the autofill of the address, where the browser can. */
  async function offer(): Promise<void> {
    offering = new AbortController()
    const offered = offerPasskeys(client, { signal: offering.signal })
    await offered.catch((error: unknown) => tell(outcome, 'problem', messageOf(error)))
  }

  for (const [id, request] of [
    ['login-forgot', forgotPassword],
    ['login-code', requestCode],
  ] as const) {
    onClick(element(id, HTMLButtonElement), outcome, async () => {
      if (!email.reportValidity()) return null
      await request(client, { email: email.value })
      await showMailCode()
      return null
    })
  }

  onSubmit(forms.register, async (read) => {
    const name = read('name').trim()
    const request = { email: read('email'), password: read('password'), ...(name === '' ? {} : { name }) }
    await client.register(request).catch(showSecondStep)
    forms.register.reset()
    choose('login')
    await showMailCode()
    return null
  })

  const endReason = element('end-reason', HTMLElement)
  client.onChange((state) => {
    if (state.status === 'signed_in') {
      offering?.abort()
      offering = null
    }
    if (state.status !== 'signed_out') return
    if (offering === null) void offer()
    showText(endReason, state.reason === null ? null : `The session ended: ${describeEnd(state.reason)}.`)
  })
}
