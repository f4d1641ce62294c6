/** The object, of which no part can be changed any more. */
export function deepFreeze<T extends object>(value: T): T {
  const parts: unknown[] = Object.values(value)
  for (const part of parts) {
    if (typeof part === 'object' && part !== null) deepFreeze(part)
  }
  return Object.freeze(value)
}
