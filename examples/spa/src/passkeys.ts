import type { Client } from '@sallyport/client'
import { renameFactor, type Factor } from '@sallyport/client/factors'
import { createPasskey, removePasskey, supportsPasskeys } from '@sallyport/client/passkeys'
import { onClick, onSubmit } from './actions.js'
import { element, showText, within } from './elements.js'
import { showRecoveryCodes } from './recovery-codes.js'

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/**
 * The passkeys of the user. As with the other factors, a change waits for the dialog of step-up.ts where it needs a recent
 * authentication. `reload` asks for the factors again after a change. Returns the function that shows the passkeys.
 */
export function mountPasskeys(client: Client, reload: () => Promise<void>): (passkeys: readonly Factor[]) => void {
  const list = element('passkeys', HTMLElement)
  const outcome = element('passkeys-outcome', HTMLElement)
  const form = element('new-passkey', HTMLFormElement)

  // Where the browser has no passkeys, there is nothing to press.
  for (const part of document.querySelectorAll<HTMLElement>('[data-passkeys]')) part.hidden = !supportsPasskeys()

  onSubmit(form, async (read) => {
    const name = read('name').trim()
    const { passkey, recoveryCodes } = await createPasskey(client, name === '' ? {} : { name })
    form.reset()
    if (recoveryCodes !== null) showRecoveryCodes(recoveryCodes)
    await reload()
    return `${passkey.name} is created.`
  })

  function present({ id, name, created_at, last_used_at }: Factor): DocumentFragment {
    const row = document.importNode(element('passkey', HTMLTemplateElement).content, true)
    const rename = within(row, 'form', HTMLFormElement)
    const input = within(rename, 'input', HTMLInputElement)
    const label = within(rename, 'label', HTMLLabelElement)
    const error = within(rename, '.field-error', HTMLElement)
    rename.setAttribute('aria-label', name)
    input.id = label.htmlFor = `passkey-${id}`
    input.value = name
    label.textContent = `Name of ${name}`
    error.id = `${input.id}-error`
    input.setAttribute('aria-describedby', error.id)
    const used = last_used_at === null ? 'not used yet' : `last used ${moment.format(new Date(last_used_at))}`
    const facts = within(row, '[data-part=facts]', HTMLElement)
    showText(facts, `Since ${moment.format(new Date(created_at))} · ${used}`)
    onSubmit(rename, async (read) => {
      const renamed = await renameFactor(client, id, read('name').trim())
      await reload()
      showText(outcome, `${name} is now ${renamed.name}.`)
      return null
    })
    const remove = within(row, '[data-part=remove]', HTMLButtonElement)
    remove.setAttribute('aria-label', `Remove ${name}`)
    onClick(remove, outcome, async () => {
      await removePasskey(client, id)
      await reload()
      return `${name} is removed.`
    })
    return row
  }

  return (passkeys) => list.replaceChildren(...passkeys.map(present))
}
