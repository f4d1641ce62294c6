/**
 * Removes control characters from a line. Much of the output is user input, such as names of devices, which could
 * otherwise hide or forge lines of the terminal.
 */
export function withoutControls(line: string): string {
  return line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
