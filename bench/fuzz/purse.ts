import { z } from 'zod'
import { parseJson } from '../json.js'

/** What a visitor has received from the API and may use again, damage or mix up. */
export interface Purse {
  /** The credential of a service that verifies tokens; the API does not issue any. */
  verifier: { name: string; credential: string }
  emails: string[]
  accessTokens: string[]
  refreshTokens: string[]
  sessionIds: string[]
  /** As a browser stores them. */
  cookies: Map<string, string>
  cursors: string[]
  etags: string[]
}

/** Strong enough; every user has one of the two. */
export const PASSWORDS = ['copper lantern drifts over seven hills', 'quiet harbour below a paper moon'] as const

/** How many of each are kept, newest first. */
const KEPT = 12

export function createPurse(verifier: Purse['verifier']): Purse {
  const none = { emails: [], accessTokens: [], refreshTokens: [], sessionIds: [], cursors: [], etags: [] }
  return { verifier, ...structuredClone(none), cookies: new Map() }
}

const answerSchema = z
  .object({
    access_token: z.string(),
    refresh_token: z.string(),
    session: z.object({ id: z.string() }),
    sessions: z.array(z.object({ id: z.string() })),
    user: z.object({ email: z.string() }),
    cursor: z.string(),
  })
  .partial()
  .catch({})

/** Stores what a response contains. */
export function take(purse: Purse, answer: { headers: NodeJS.Dict<string | string[]>; text: string }): void {
  const body = answerSchema.parse(parseJson(answer.text))
  keep(purse.accessTokens, body.access_token)
  keep(purse.refreshTokens, body.refresh_token)
  keep(purse.sessionIds, body.session?.id)
  keep(purse.sessionIds, body.sessions?.at(-1)?.id)
  keep(purse.emails, body.user?.email)
  keep(purse.cursors, body.cursor)
  keep(purse.etags, [answer.headers.etag].flat()[0])
  for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') purse.cookies.delete(name)
    else purse.cookies.set(name, value)
  }
}

function keep(list: string[], value: string | undefined): void {
  if (value === undefined || list.includes(value)) return
  list.push(value)
  if (list.length > KEPT) list.shift()
}
