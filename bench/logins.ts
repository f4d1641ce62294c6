import { setMaxListeners } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Request } from 'autocannon'
import { z } from 'zod'
import { emailOf, PASSWORD } from './population.js'

/** The number of users who log in: enough that none of them has too many sessions. */
export const USERS = 200

/** The bodies of logins, one for each user. */
export type Logins = readonly string[]

/**
 * Logs every user in once, and returns the logins of all on the devices that are known by then. Those on a new device
 * would also send a mail, which the row `notices` measures.
 */
export async function registerDevices(url: string): Promise<Logins> {
  const agent = new Agent({ keepAlive: true })
  const logins: string[] = []
  for (let user = 1; user <= USERS; user += 1) {
    const credentials = { email: emailOf(user), password: PASSWORD, mode: 'json' }
    const { status, text } = await logIn(url, agent, JSON.stringify(credentials))
    if (status !== 200) throw new Error(`A login was answered with ${status}: ${text}`)
    const { device_token } = tokenReply.parse(JSON.parse(text))
    logins.push(JSON.stringify({ ...credentials, device_token }))
  }
  agent.destroy()
  return logins
}

const tokenReply = z.object({ device_token: z.string() })

const anyOf = (logins: Logins) => logins[Math.floor(Math.random() * logins.length)]

// Created anew each time: the load generator writes the length of the body into the object.
const headers = () => ({ 'content-type': 'application/json' })

/** A login of a random user. */
export function loginRequest(logins: Logins): Request {
  return {
    method: 'POST',
    path: '/v1/auth/login',
    setupRequest: (request) => ({ ...request, headers: headers(), body: anyOf(logins) }),
  }
}

/**
 * This many clients log in concurrently, again and again, until the signal; one that gets 503 retries after
 * `Retry-After`. Returns how many logins succeeded.
 */
export async function logInConcurrently(
  url: string,
  { logins, size, signal }: { logins: Logins; size: number; signal: AbortSignal },
): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  setMaxListeners(size, signal)
  let count = 0
  const keepLoggingIn = async () => {
    while (!signal.aborted) {
      const { status, retryAfterMs, text } = await logIn(url, agent, anyOf(logins))
      if (status === 200) count += 1
      else if (status === 503) await pause(retryAfterMs, undefined, { signal }).catch(() => undefined)
      else throw new Error(`A login was answered with ${status}: ${text}`)
    }
  }
  await Promise.all(Array.from({ length: size }, keepLoggingIn))
  agent.destroy()
  return count
}

interface Answer {
  status: number
  retryAfterMs: number
  text: string
}

function logIn(url: string, agent: Agent, body: string | undefined): Promise<Answer> {
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
    outgoing.end(body)
  })
}
