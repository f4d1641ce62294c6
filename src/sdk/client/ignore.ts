/** Ignores an error; the caller says why. */
export function ignore(): void {
  // Nothing.
}
