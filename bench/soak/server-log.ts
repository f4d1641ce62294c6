import { z } from 'zod'
import { parseJson } from '../json.js'

const lineSchema = z.object({
  level: z.string(),
  msg: z.string().default(''),
  request_id: z.string().optional(),
  err: z.unknown().optional(),
})

export interface ServerLog {
  /** Reads a line of a server's output; returns its text if it is an error. */
  take(line: string): string | null
  /** A message about a request, with the server's own errors for it. */
  explain(text: string): string
}

const SHOWN = 600

/** The output of the servers. A line that is not JSON comes from Node itself, and is an error. */
export function createServerLog(): ServerLog {
  const causes = new Map<string, string>()
  return {
    take(line) {
      const parsed = lineSchema.safeParse(parseJson(line))
      if (!parsed.success) return line.slice(0, SHOWN)
      const { level, msg, err, request_id } = parsed.data
      const text = `${msg} ${err === undefined ? '' : JSON.stringify(err)}`.trim().slice(0, SHOWN)
      if (request_id !== undefined) causes.set(request_id, text)
      return level === 'error' || level === 'fatal' ? text : null
    },
    explain(text) {
      const cause = [...causes].find(([id]) => text.includes(id))?.[1]
      return cause === undefined ? text : `${text} because: ${cause}`
    },
  }
}
