/** What others have written, and a terminal would obey: it could hide a line or show one that is none. */
export function withoutControls(line: string): string {
  return line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
