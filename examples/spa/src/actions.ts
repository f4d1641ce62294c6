// What buttons and forms set off: once at a time, and with a word on how it went.

import { ClientError } from '@sallyport/client'
import { element, within } from './elements.js'
import { messageOf } from './messages.js'

/** Answers what to say of it, if anything. */
type Work = () => Promise<string | null>

export function onClick(button: HTMLButtonElement, outcome: HTMLElement, work: Work): void {
  button.addEventListener('click', () => void perform(button, outcome, work))
}

/** `send` gets the fields as text. What the answer finds wrong with one of them is said beside it. */
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

/** Answers the error that was told, if there was one. */
async function perform(button: HTMLButtonElement, outcome: HTMLElement, work: Work): Promise<unknown> {
  // The attribute "disabled" would take the focus away from who uses a keyboard.
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

export function tell(outcome: HTMLElement, kind: 'done' | 'problem', text: string | null): void {
  outcome.dataset.kind = kind
  outcome.textContent = text
}

/** Beside each field is a place for what is wrong with it. */
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
