import type { Client } from '@sallyport/client'
import {
  addTotp,
  confirmTotp,
  factors,
  newRecoveryCodes,
  removeFactor,
  type Factor,
  type TotpEnrolment,
} from '@sallyport/client/factors'
import { onClick, onSubmit, reportFailure } from './actions.js'
import { element, showText } from './elements.js'
import { mountPasskeys } from './passkeys.js'
import { drawQrCode } from './qr-code.js'
import { showRecoveryCodes } from './recovery-codes.js'

/**
 * The second factors of the user; passkeys.ts has the passkeys among them. A change requires a recent authentication, for
 * which the dialog of step-up.ts asks.
 */
export function mountSecondFactors(client: Client): void {
  const list = element('factors', HTMLElement)
  const left = element('recovery-codes-left', HTMLElement)
  const outcome = element('factors-outcome', HTMLElement)
  const form = element('add-totp', HTMLFormElement)
  const showPasskeys = mountPasskeys(client, show)
  let enrolment: TotpEnrolment | null = null
  let shownFor: string | null = null

  async function show(): Promise<void> {
    const known = await factors(client)
    list.replaceChildren(...known.factors.filter(({ type }) => type === 'totp').map(present))
    showPasskeys(known.factors.filter(({ type }) => type === 'passkey'))
    const count = `Recovery codes left: ${known.recovery_codes_left}.`
    showText(left, known.factors.length === 0 ? 'None yet: the password alone logs you in.' : count)
  }

  function present(factor: Factor): HTMLElement {
    const entry = document.createElement('li')
    entry.className = 'device'
    const name = document.createElement('p')
    name.className = 'device-name'
    name.textContent = factor.name
    const remove = document.createElement('button')
    remove.type = 'button'
    remove.textContent = `Remove ${factor.name}`
    onClick(remove, outcome, async () => {
      await removeFactor(client, factor.id)
      await show()
      return `${factor.name} is removed.`
    })
    entry.append(name, remove)
    return entry
  }

  onClick(element('begin-totp', HTMLButtonElement), outcome, async () => {
    enrolment = await addTotp(client)
    drawQrCode(element('totp-qr', SVGSVGElement), enrolment.uri)
    showText(element('totp-secret', HTMLElement), enrolment.secret)
    form.hidden = false
    element('totp-code', HTMLInputElement).focus()
    return null
  })

  onSubmit(form, async (read) => {
    if (enrolment === null) return null
    showRecoveryCodes((await confirmTotp(client, enrolment.id, { code: read('code') })) ?? [])
    form.reset()
    form.hidden = true
    enrolment = null
    await show()
    return null
  })

  onClick(element('new-recovery-codes', HTMLButtonElement), outcome, async () => {
    showRecoveryCodes(await newRecoveryCodes(client))
    await show()
    return 'The codes from before are invalid now.'
  })

  client.onChange((state) => {
    if (state.status === 'signed_out') {
      shownFor = enrolment = null
      form.hidden = true
      showPasskeys([])
      showRecoveryCodes([])
    }
    if (state.status !== 'signed_in' || state.user === null || state.user.id === shownFor) return
    shownFor = state.user.id
    reportFailure(client, outcome, show())
  })
}
