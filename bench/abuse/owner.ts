// ABU-02: one address is far past its limit. Does the owner of an account still get in, from the same network on a device
// that the account knows, and from elsewhere?

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { cookieName } from '../../src/wire/cookies.js'
import { PUBLIC_URL } from '../sallyport.js'
import type { Exploit } from './exploit.js'
import { loginOf, register } from './accounts.js'
import { crowd, describeCounts, post, type Asked } from './calling.js'
import type { Figure } from './figure.js'
import type { Target } from './target.js'

const ATTACKERS = 300
const TRIES = 32
const ELSEWHERE = '127.0.0.2'
const EMAIL = 'owner@example.com'
const UNTIL_LIMITED_MS = 3000

export const owner: Exploit[] = (['embedded', 'postgres'] as const).map((database) => ({
  name: 'owner',
  database,
  play: (target) => signInDuringFlood(target, database),
}))

async function signInDuringFlood({ url }: Target, database: string): Promise<Figure[]> {
  await register(url, EMAIL)
  const { cookies } = await post(url, { ...loginOf(EMAIL), body: { ...loginOf(EMAIL).body, mode: 'cookie' } })
  const prefix = `${cookieName(PUBLIC_URL, 'device')}=`
  const device_token = cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length)
  if (device_token === undefined) throw new Error('The login made no known device.')

  const end = new AbortController()
  const ask = () => loginOf(`${randomUUID()}@example.com`, randomUUID())
  const attack = crowd(url, { size: ATTACKERS, keepsConnections: true, ask }, end.signal)
  await pause(UNTIL_LIMITED_MS)
  const [known, elsewhere] = await Promise.all([
    signIn(url, { ...loginOf(EMAIL), body: { ...loginOf(EMAIL).body, device_token } }),
    signIn(url, { ...loginOf(EMAIL), from: ELSEWHERE }),
  ])
  end.abort()
  const counts = await attack
  const figureOf = (where: string, succeeded: number): Figure => ({
    what: `${database}: ${ATTACKERS} clients past the limit of their address; the owner ${where}`,
    figure: `${succeeded} of ${TRIES} logins`,
    goal: { text: `${TRIES} of ${TRIES}`, isMet: succeeded === TRIES },
  })
  return [
    figureOf('on a known device', known),
    figureOf('from another address', elsewhere),
    { what: '  the attackers were answered with', figure: describeCounts(counts), goal: null },
  ]
}

/** Signs in one time after the other, and answers how often that succeeded. */
async function signIn(url: string, asked: Asked): Promise<number> {
  let succeeded = 0
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { status } = await post(url, asked)
    if (status === 200) succeeded += 1
  }
  return succeeded
}
