import { ClientError, type Client, type StepUpChallenge } from '@sallyport/client'
import { factors, reauthenticate, type FactorProof } from '@sallyport/client/factors'
import { reauthenticateWithPasskey, supportsPasskeys } from '@sallyport/client/passkeys'
import { onClick, onSubmit, tell } from './actions.js'
import { element, showText } from './elements.js'

/** Has the user authenticate again; rejects if they decline. */
export type AskAgain = (challenge: StepUpChallenge) => Promise<void>

/**
 * The dialog for `onStepUp`: a request that needs a more recent or stronger authentication waits for it, and is then
 * repeated.
 */
export function mountStepUp(client: Client): AskAgain {
  const dialog = element('step-up', HTMLDialogElement)
  const form = element('step-up-form', HTMLFormElement)
  const label = element('step-up-label', HTMLElement)
  const hint = element('step-up-hint', HTMLElement)
  const field = element('step-up-field', HTMLElement)
  const input = element('step-up-proof', HTMLInputElement)
  const submit = element('step-up-submit', HTMLButtonElement)
  const passkey = element('step-up-passkey', HTMLButtonElement)
  const outcome = element('step-up-outcome', HTMLElement)
  const isPassword = () => input.type === 'password'

  onSubmit(form, async (read) => {
    const typed = read('proof')
    await reauthenticate(client, isPassword() ? { password: typed } : proofOf(typed)).catch(besideField)
    dialog.close('done')
    return null
  })
  onClick(passkey, outcome, async () => {
    await reauthenticateWithPasskey(client)
    dialog.close('done')
    return null
  })
  element('step-up-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close())

  return async (challenge) => {
    const methods = challenge.methods ?? (await methodsOf(client, challenge))
    const usesPassword = methods.includes('password')
    const usesCode = methods.includes('totp') || methods.includes('recovery_code')
    const usesPasskey = methods.includes('passkey') && supportsPasskeys()
    if (!usesPassword && !usesCode && !usesPasskey) throw new Error('This page offers none of the methods.')
    form.reset()
    tell(outcome, 'done', null)
    dialog.returnValue = ''
    passkey.hidden = !usesPasskey
    field.hidden = submit.hidden = !usesPassword && !usesCode
    label.textContent = usesPassword ? 'Password' : labelOfCode(methods)
    input.type = usesPassword ? 'password' : 'text'
    input.autocomplete = usesPassword ? 'current-password' : 'one-time-code'
    showText(hint, challenge.maxAge === null ? null : `It counts for ${Math.ceil(challenge.maxAge / 60)} minutes.`)
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'done') throw new Error('The user has declined.')
  }
}

/** What a field for codes takes. */
export function labelOfCode(methods: readonly string[]): string {
  return methods.includes('totp') ? 'Code of your authenticator app, or a recovery code' : 'A recovery code'
}

/** What the user can show, for a service that knows only the token. Without a factor, they reach the lowest level. */
async function methodsOf(client: Client, { acrValues }: StepUpChallenge): Promise<string[]> {
  const known = await factors(client)
  if (known.factors.length > 0) return [...known.factors.map(({ type }) => type), 'recovery_code']
  return acrValues.length === 0 || acrValues.includes('aal1') ? ['password'] : []
}

/** Sallyport does not say of what a wrong proof consists: here there is one field. */
function besideField(error: unknown): never {
  if (!(error instanceof ClientError) || error.code !== 'invalid_credentials') throw error
  const errors = [{ path: '/proof', code: error.code, message: 'This is wrong' }]
  throw new ClientError('validation_failed', { errors })
}

/** A code of an authenticator app has six digits, a recovery code has letters too. */
export function proofOf(typed: string): FactorProof {
  return /^[\d\s]+$/.test(typed) ? { code: typed } : { recovery_code: typed }
}
