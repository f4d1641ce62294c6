/**
 * A line without characters that a terminal obeys. Much of what is shown was written by users and clients, such as the
 * names of devices: it could hide a line, or show one that is none.
 */
export function withoutControls(line: string): string {
  return line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
