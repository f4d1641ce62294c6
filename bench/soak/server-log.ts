import { z } from 'zod'

const lineSchema = z.object({
  level: z.string(),
  msg: z.string().default(''),
  request_id: z.string().optional(),
  err: z.unknown().optional(),
})

export interface ServerLog {
  /** Takes a line that a server wrote; answers what it says if that is an error. */
  take(line: string): string | null
  /** A text about a request, with what its server had to say of it. */
  explain(text: string): string
}

const SHOWN = 600

/** What the servers write. Anything that is no line of the log comes from Node itself, and is an error. */
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

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
