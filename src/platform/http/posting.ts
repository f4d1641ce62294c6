export interface Post {
  headers: Record<string, string>
  body: string
  /** How long the answer may take. */
  withinMs: number
}

/**
 * Posts to an address that an operator has set, and answers the status. Redirects are not followed: they would lead to an
 * address that was not checked. The body of the answer is not read. Throws if there is no answer.
 */
export async function postTo(url: string, { headers, body, withinMs }: Post): Promise<number> {
  const signal = AbortSignal.timeout(withinMs)
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
  await response.body?.cancel()
  return response.status
}

/** The code of an error of the network, such as ECONNREFUSED, or its name: the message may contain the URL. */
export function errorCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  const { cause } = error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : error.name
}
