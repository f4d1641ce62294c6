// Buttons and forms that start actions: one at a time, with a message about the result.

import { ClientError, type Client } from '@sallyport/client'
import { element, within } from './elements.js'
import { messageOf } from './messages.js'

/** Returns the message to show, if any. */
type Work = () => Promise<string | null>

export function onClick(button: HTMLButtonElement, outcome: HTMLElement, work: Work): void {
  button.addEventListener('click', () => void perform(button, outcome, work))
}

/** `send` gets the fields as text. Errors in the response are shown beside the fields. */
export function onSubmit(
  form: HTMLFormElement,
  send: (read: (name: string) => string) => Promise<string | null>,
): void {
  const button = within(form, '[type=submit]', HTMLButtonElement)
  const outcome = within(form, '.outcome', HTMLElement)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const fields = new FormData(form)
    const read = (name: string) => {
      const value = fields.get(name)
      return typeof value === 'string' ? value : ''
    }
    clearFieldErrors(form)
    void perform(button, outcome, () => send(read)).then((error) => {
      if (error instanceof ClientError) showFieldErrors(form, error)
    })
  })
}

/** Returns the error that was shown, if any. */
async function perform(button: HTMLButtonElement, outcome: HTMLElement, work: Work): Promise<unknown> {
  // The attribute "disabled" would remove the focus, which keyboard users need.
  if (button.getAttribute('aria-disabled') === 'true') return undefined
  button.setAttribute('aria-disabled', 'true')
  tell(outcome, 'done', null)
  try {
    tell(outcome, 'done', await work())
    return undefined
  } catch (error) {
    if (!(error instanceof ClientError)) console.error(error)
    tell(outcome, 'problem', messageOf(error))
    return error
  } finally {
    button.removeAttribute('aria-disabled')
  }
}

/** Reports that something of the signed-in user could not be loaded, unless they have logged out meanwhile. */
export function reportFailure(client: Client, outcome: HTMLElement, loading: Promise<unknown>): void {
  loading.catch((error: unknown) => {
    if (client.state.status === 'signed_in') tell(outcome, 'problem', messageOf(error))
  })
}

export function tell(outcome: HTMLElement, kind: 'done' | 'problem', text: string | null): void {
  outcome.dataset.kind = kind
  outcome.textContent = text
}

/** Each field has an element beside it for its error. */
function placeOf(input: HTMLInputElement): HTMLElement {
  return element(`${input.id}-error`, HTMLElement)
}

function showFieldErrors(form: HTMLFormElement, { errors = [] }: ClientError): void {
  const wrong = errors.flatMap(({ path, message }) => {
    const input = form.elements.namedItem(path.slice(1))
    if (!(input instanceof HTMLInputElement)) return []
    placeOf(input).textContent = `${message}.`
    input.setAttribute('aria-invalid', 'true')
    return [input]
  })
  wrong[0]?.focus()
}

function clearFieldErrors(form: HTMLFormElement): void {
  for (const input of form.querySelectorAll<HTMLInputElement>('input[aria-invalid]')) {
    placeOf(input).textContent = null
    input.removeAttribute('aria-invalid')
  }
}
