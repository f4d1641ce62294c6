/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  type: string
  data: string
  /** The last id of the stream so far; empty before the first. */
  id: string
}

export interface EventParser {
  /** The events that this chunk of the stream completes; it may end anywhere. */
  push(text: string): ServerSentEvent[]
}

/**
 * Reads server-sent events (HTML Living Standard, section 9.2.6) without buffering more than `maxLength` characters of
 * one event: `push` throws once a stream holds a longer one.
 */
export function createEventParser(maxLength: number): EventParser {
  let rest = ''
  let isStart = true
  // A line that ends in CR is complete, but an LF that follows belongs to its end.
  let endedInCr = false
  let type = ''
  let data: string[] = []
  let id = ''
  let length = 0

  function requireRoom(line: string): void {
    if (length + line.length > maxLength) throw new Error(`An event is longer than ${maxLength} characters.`)
  }

  function takeField(line: string): void {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') type = value
    if (name === 'data') {
      data.push(value)
      length += value.length + 1
    }
    if (name === 'id' && !value.includes('\0')) id = value
  }

  function complete(): ServerSentEvent | null {
    const event = { type: type || 'message', data: data.join('\n'), id }
    const isEmpty = data.length === 0
    type = ''
    data = []
    length = 0
    return isEmpty ? null : event
  }

  return {
    push(text) {
      const events: ServerSentEvent[] = []
      let pending = rest + (endedInCr ? text.replace(/^\n/, '') : text)
      if (text !== '') endedInCr = text.endsWith('\r')
      if (isStart && pending !== '') {
        pending = pending.replace(/^\uFEFF/, '')
        isStart = false
      }
      const lines = pending.split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        requireRoom(line)
        const event = line === '' ? complete() : null
        if (event) events.push(event)
        else if (line !== '') takeField(line)
      }
      requireRoom(rest)
      return events
    },
  }
}
