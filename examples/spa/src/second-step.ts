import { ClientError, type Client } from '@sallyport/client'
import {
  confirmTotpAtSignIn,
  enrollTotpAtSignIn,
  forgetSecondStep,
  secondStep,
  signInWithFactor,
  type SecondStep,
} from '@sallyport/client/factors'
import { createPasskeyAtSignIn, signInWithPasskeyAsFactor, supportsPasskeys } from '@sallyport/client/passkeys'
import { onClick, onSubmit } from './actions.js'
import { element, showText, within } from './elements.js'
import { drawQrCode } from './qr-code.js'
import { showRecoveryCodes } from './recovery-codes.js'
import { labelOfCode, proofOf } from './step-up.js'

/**
 * The second step of a sign-in, also after a reload: a code or a passkey, or a first factor where one is required. Returns
 * the function that takes the error of a sign-in, and shows the step if that is what it asks for.
 */
export function mountSecondStep(client: Client): (error: unknown) => Promise<void> {
  const form = element('second-step', HTMLFormElement)
  const app = element('second-step-app', HTMLElement)
  const label = within(form, 'label', HTMLLabelElement)
  const passkey = element('second-step-passkey', HTMLButtonElement)
  let step: SecondStep | null = null

  async function show(): Promise<void> {
    const former = step
    step = await secondStep(client)
    // A second secret would replace the one that is shown.
    if (step?.token === former?.token) return
    form.reset()
    app.hidden = true
    if (step !== null) {
      const isFirst = step.enroll.length > 0
      label.textContent = labelOfCode(isFirst ? step.enroll : step.methods)
      passkey.textContent = isFirst ? 'Create a passkey instead' : 'Use a passkey'
      passkey.hidden = !supportsPasskeys() || ![...step.methods, ...step.enroll].includes('passkey')
    }
    if (step !== null && step.enroll.length > 0) {
      const { uri, secret } = await enrollTotpAtSignIn(client)
      drawQrCode(element('second-step-qr', SVGSVGElement), uri)
      showText(element('second-step-secret', HTMLElement), secret)
      app.hidden = false
    }
    form.hidden = step === null
  }

  onSubmit(form, async (read) => {
    const typed = read('code')
    try {
      if (app.hidden) await signInWithFactor(client, proofOf(typed))
      else showRecoveryCodes((await confirmTotpAtSignIn(client, { code: typed })).recoveryCodes)
      await show()
    } catch (error) {
      // After some refusals the sign-in is over.
      await show()
      throw error
    }
    return null
  })

  onClick(passkey, element('second-step-outcome', HTMLElement), async () => {
    try {
      if (app.hidden) await signInWithPasskeyAsFactor(client)
      else showRecoveryCodes((await createPasskeyAtSignIn(client)).recoveryCodes)
    } finally {
      await show()
    }
    return null
  })

  onClick(element('second-step-stop', HTMLButtonElement), element('second-step-outcome', HTMLElement), async () => {
    await forgetSecondStep(client)
    await show()
    return null
  })

  client.onChange(({ status }) => {
    // A sign-in in another tab, or the state after a reload.
    if (status === 'signed_out' || step !== null) show().catch((error: unknown) => console.error(error))
  })

  return async (error) => {
    if (!(error instanceof ClientError) || error.code !== 'mfa_required') throw error
    await show()
    element('second-step-code', HTMLInputElement).focus()
  }
}
