import { v7 } from 'uuid'

/** A UUIDv7 (RFC 9562, section 5.7): ids in the order of their making keep an index's newest pages together. */
export function uuidv7(): string {
  return v7()
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a text is a UUID as Sallyport writes it, in lower case. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}
