import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import packageJson from '../../../package.json' with { type: 'json' }
import { generateSecretKey } from '../../../src/platform/crypto/secret-keys.js'
import { sallyportProgram, type Program } from '../../servers.js'
import type { Received, Send } from '../http.js'
import { promisedWithKeys, promisedWithoutKeys } from '../promise.js'
import { answerTo, type Answer, type Held, type Protocol, type TargetKind } from '../target.js'

const secretKey = generateSecretKey()
export const PASSWORD = 'copper lantern drifts over seven hills'

const replySchema = z.object({ access_token: z.string(), refresh_token: z.string() })
const problemSchema = z.object({ code: z.string(), reason: z.string().optional() })

export const sallyport: TargetKind = {
  name: 'sallyport',
  describe: (grace) => `mode \`json\`, an \`Idempotency-Key\` for each refresh, \`REFRESH_GRACE=${grace}\``,
  version,
  promised: promisedWithKeys,
  program: (given) => program(given),
  connect: (send) => connect(send, { keyed: true }),
}

export const sallyportKeyless: TargetKind = {
  name: 'sallyport-keyless',
  describe: (grace) => `the same server, clients that send no key, \`REFRESH_GRACE=${grace}\``,
  version,
  promised: promisedWithoutKeys,
  program: (given) => program(given),
  connect: (send) => connect(send, { keyed: false }),
}

export function version(): string {
  return `sallyport ${packageJson.version}`
}

export function program(
  { databaseUrl, graceSeconds }: { databaseUrl: string; graceSeconds: number },
  settings: Record<string, string> = {},
): Program {
  return sallyportProgram({
    DATABASE_URL: databaseUrl,
    SECRET_KEY: secretKey,
    PUBLIC_URL: 'http://localhost:3000',
    REFRESH_GRACE: String(graceSeconds),
    ...settings,
  })
}

function connect(send: Send, { keyed }: { keyed: boolean }): Protocol {
  const post = (
    path: string,
    body: object,
    rest: { headers?: Record<string, string>; fate?: Parameters<Send>[0]['fate'] } = {},
  ) =>
    send({
      method: 'POST',
      path,
      body: JSON.stringify(body),
      fate: rest.fate,
      headers: { 'content-type': 'application/json', ...rest.headers },
    })
  return {
    async signUp() {
      const user = `${randomUUID()}@example.com`
      const held = heldIn(await post('/v1/auth/register', { email: user, password: PASSWORD, mode: 'json' }))
      return { user, held }
    },
    async signIn(user) {
      return heldIn(await post('/v1/auth/login', { email: user, password: PASSWORD, mode: 'json' }))
    },
    refresh({ refreshToken }, { attemptKey, fate }) {
      const headers = keyed ? { 'idempotency-key': attemptKey } : {}
      return answerTo(post('/v1/auth/refresh', { refresh_token: refreshToken }, { headers, fate }), readRefresh)
    },
    async isAlive({ accessToken }) {
      const { status } = await send({ path: '/v1/whoami', headers: { authorization: `Bearer ${accessToken}` } })
      return status === 200
    },
  }
}

function readRefresh(received: Received): Answer {
  if (received.status === 200) return { outcome: 'served', held: heldIn(received) }
  const { code, reason } = problemSchema.parse(JSON.parse(received.text))
  if (code === 'refresh_superseded') return { outcome: 'superseded' }
  return { outcome: 'refused', how: [code, reason].filter(Boolean).join(' ') }
}

function heldIn({ text }: Received): Held {
  const { refresh_token, access_token } = replySchema.parse(JSON.parse(text))
  return { refreshToken: refresh_token, accessToken: access_token }
}
