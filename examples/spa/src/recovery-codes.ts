import { element } from './elements.js'

/** Shows recovery codes, which Sallyport returns only once. */
export function showRecoveryCodes(codes: readonly string[]): void {
  const list = element('recovery-codes', HTMLElement)
  list.replaceChildren(
    ...codes.map((code) => {
      const entry = document.createElement('li')
      entry.textContent = code
      return entry
    }),
  )
  element('recovery-codes-part', HTMLElement).hidden = codes.length === 0
}
