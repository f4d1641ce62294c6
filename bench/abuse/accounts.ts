import { PASSWORD } from '../population.js'
import { post } from './calling.js'

/** Registers a user in mode `json`, or throws; answers the refresh token. */
export async function register(url: string, email: string, from?: string): Promise<string> {
  const body = { email, password: PASSWORD, mode: 'json' }
  const { status, body: answer } = await post(url, { path: '/v1/auth/register', body, ...(from && { from }) })
  if (answer.refresh_token === undefined) throw new Error(`A registration was answered with ${String(status)}.`)
  return answer.refresh_token
}

export const loginOf = (email: string, password = PASSWORD) => ({
  path: '/v1/auth/login',
  body: { email, password, mode: 'json' },
})

export const refreshOf = (token: string) => ({ path: '/v1/auth/refresh', body: { refresh_token: token } })
