import { CommandError } from './command.js'

/** More than the longest password in any encoding, and a bound for what is read. */
export const MAX_PIPED_BYTES = 4096

const ADVICE = 'Pipe the password alone, in UTF-8: printf \'%s\' "$PASSWORD" | …'

/**
 * The password that was piped to a command: one line, whose end, LF or CRLF, and byte order mark are not part of it.
 * Throws CommandError for what may be something else than the user will type: the account would not open.
 */
export function parsePipedPassword(bytes: Uint8Array): string {
  const password = decode(bytes).replace(/\r?\n$/, '')
  if (password === '') {
    throw new CommandError('A password is required: enter it at the prompt, or pipe one line to standard input.')
  }
  if (bytes.length > MAX_PIPED_BYTES) throw refusal(`has more than ${MAX_PIPED_BYTES} bytes`)
  if (/[\r\n]/.test(password)) throw refusal('has more than one line')
  if (/\p{Cc}/u.test(password)) throw refusal('contains control characters')
  if (password.trim() !== password) throw refusal('begins or ends with a space')
  return password
}

/** A byte order mark at the beginning is taken off. */
function decode(bytes: Uint8Array): string {
  // Every other byte of UTF-16, which some shells write.
  if (bytes.includes(0)) throw refusal('is not UTF-8')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw refusal('is not UTF-8', error)
  }
}

function refusal(fault: string, cause?: unknown): CommandError {
  return new CommandError(`What was piped to standard input ${fault}. ${ADVICE}`, { cause })
}
