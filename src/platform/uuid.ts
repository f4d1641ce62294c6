import { v7 } from 'uuid'

/** A UUIDv7 (RFC 9562, section 5.7): ids in order of creation, so that new rows share index pages. */
export function uuidv7(): string {
  return v7()
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a text is a UUID in lower case, as Sallyport writes it. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}
