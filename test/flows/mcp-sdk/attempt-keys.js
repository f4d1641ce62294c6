import { createHash } from 'node:crypto'

/** A fetch whose refreshes carry an attempt key: a repetition gets the answer that was lost, even hours later. */
export function withAttemptKeys(fetch) {
  return (input, init) => {
    const refreshToken = init?.body instanceof URLSearchParams ? init.body.get('refresh_token') : null
    if (refreshToken === null) return fetch(input, init)
    const headers = new Headers(init.headers)
    headers.set('idempotency-key', createHash('sha256').update(refreshToken).digest('hex'))
    return fetch(input, { ...init, headers })
  }
}
