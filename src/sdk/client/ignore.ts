/** For a failure about which there is nothing to do, as said where it is caught. */
export function ignore(): void {
  // Nothing.
}
