import { setMaxListeners } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Request } from 'autocannon'
import { emailOf, PASSWORD } from './population.js'

/** The number of users who log in: enough that none of them has too many sessions. */
export const USERS = 200

const anyLogin = () =>
  JSON.stringify({ email: emailOf(1 + Math.floor(Math.random() * USERS)), password: PASSWORD, mode: 'json' })

// Created anew each time: the load generator writes the length of the body into the object.
const headers = () => ({ 'content-type': 'application/json' })

/** A login of a random user. */
export function loginRequest(): Request {
  return {
    method: 'POST',
    path: '/v1/auth/login',
    setupRequest: (request) => ({ ...request, headers: headers(), body: anyLogin() }),
  }
}

/**
 * This many clients log in concurrently, again and again, until the signal; one that gets 503 retries after
 * `Retry-After`. Returns how many logins succeeded.
 */
export async function logInConcurrently(url: string, size: number, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  setMaxListeners(size, signal)
  let count = 0
  const keepLoggingIn = async () => {
    while (!signal.aborted) {
      const { status, retryAfterMs, text } = await logIn(url, agent)
      if (status === 200) count += 1
      else if (status === 503) await pause(retryAfterMs, undefined, { signal }).catch(() => undefined)
      else throw new Error(`A login was answered with ${status}: ${text}`)
    }
  }
  await Promise.all(Array.from({ length: size }, keepLoggingIn))
  agent.destroy()
  return count
}

function logIn(url: string, agent: Agent): Promise<{ status: number; retryAfterMs: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/v1/auth/login`, { method: 'POST', agent, headers: headers() }, (response) => {
      const { statusCode: status = 0, headers } = response
      const retryAfterMs = Number(headers['retry-after'] ?? 0) * 1000
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status, retryAfterMs, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(anyLogin())
  })
}
