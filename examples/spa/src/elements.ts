/**
 * The element with this id. Throws if there is none, or one of another type, because markup and scripts do not match.
 */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} with the id ${id}.`)
  return found
}

/** The first matching element within another one; throws as above. */
export function within<T extends Element>(parent: ParentNode, selector: string, kind: new () => T): T {
  const found = parent.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} that matches ${selector}.`)
  return found
}

/** Shows a text, or hides the element if there is none. */
export function showText(target: HTMLElement, text: string | null): void {
  target.textContent = text
  target.hidden = text === null
}
