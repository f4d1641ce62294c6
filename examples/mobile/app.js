// An app as on a phone. Each run is one start: it restores the session, carries out one command and exits.
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { ClientError, createClient } from '@sallyport/client'
import { createKeyStore } from './key-store.js'
import { readPassword } from './password.js'
import { providerSignIns } from './providers.js'
import { describeWaiting, factorCommands, signInSteps } from './second-step.js'
import { describeEnd, describeError, isPassing } from './words.js'

const { SALLYPORT_URL = 'http://localhost:3000', DEVICE_NAME = hostname() } = process.env
const { KEY_STORE = join(homedir(), '.sallyport-example') } = process.env

/** The exit codes: 3 means that a later attempt may succeed; the user stays signed in. 4 asks for a second factor. */
const DONE = 0
const REFUSED = 1
const SIGNED_OUT = 2
const NOT_NOW = 3
const SECOND_STEP = 4

const client = createClient({ baseUrl: SALLYPORT_URL, mode: 'json', storage: createKeyStore(KEY_STORE) })

const signIns = {
  async register(email) {
    const { user } = await client.register({ email, password: await readPassword(), device_name: DEVICE_NAME })
    console.log(`Welcome, ${user.email}.`)
  },
  async login(email) {
    const { user } = await client.login({ email, password: await readPassword(), device_name: DEVICE_NAME })
    console.log(`Welcome back, ${user.email}.`)
  },
  ...signInSteps(client),
  ...providerSignIns(client, DEVICE_NAME),
}

const commands = {
  /**
   * Other services that accept Sallyport's tokens are called in the same way, if `origins` of `createClient` lists
   * them.
   */
  async whoami() {
    const response = await client.fetch('/v1/whoami').catch(asClientError)
    const answer = await response.json().catch(asClientError)
    if (!response.ok) throw new ClientError(answer.code, { message: answer.detail, status: response.status })
    console.log(`You are user ${answer.sub} in session ${answer.sid}.`)
  },
  async profile() {
    const { email, name, created_at } = await client.me()
    console.log(`${name ?? 'No name yet'}, ${email}, here since ${created_at}.`)
  },
  async sessions() {
    for (const { id, current, device_name, last_used_at } of await client.sessions()) {
      console.log(`${current ? '*' : ' '} ${id}  ${device_name ?? 'a device'}, last used ${last_used_at}`)
    }
  },
  async end(id) {
    await client.endSession(id)
    console.log('That device is logged out.')
  },
  async logout() {
    await client.logout()
    console.log('You are logged out.')
  },
  ...factorCommands(client),
}

/** Network errors of a service are thrown as by the global `fetch`: without a code. */
function asClientError(error) {
  throw error instanceof ClientError ? error : new ClientError('unreachable', { cause: error })
}

async function start(name, ...given) {
  const isSignIn = Object.hasOwn(signIns, name)
  const state = await client.restore()
  if (isSignIn && state.status === 'signed_in') {
    console.log('You are signed in already. Log out first.')
    return REFUSED
  }
  if (!isSignIn && state.status === 'signed_out') {
    console.log(describeEnd(state.reason))
    const waiting = await describeWaiting(client)
    if (waiting !== null) console.log(waiting)
    return SIGNED_OUT
  }
  await (signIns[name] ?? commands[name])(...given)
  return DONE
}

async function explain(error, name) {
  if (!(error instanceof ClientError)) throw error
  const { state } = client
  if (state.status === 'signed_out' && !Object.hasOwn(signIns, name)) {
    console.log(describeEnd(state.reason))
    return SIGNED_OUT
  }
  if (error.code === 'mfa_required') {
    console.log(await describeWaiting(client))
    return SECOND_STEP
  }
  console.log(describeError(error))
  if (!isPassing(error)) return REFUSED
  if (state.status === 'signed_in') console.log('You are still signed in.')
  return NOT_NOW
}

const [name = '', argument = '', further = ''] = process.argv.slice(2)
if (!Object.hasOwn({ ...signIns, ...commands }, name)) {
  console.log(`Usage: app.js register <email> | login <email> | code <code> | recover <code> | forgot <email> | reset <code>
  | providers | browse <provider> | opened <link> | token <provider> <id token>
  | whoami | profile | sessions | end <session> | totp | confirm <id> <code> | logout`)
  process.exitCode = REFUSED
} else {
  process.exitCode = await start(name, argument, further).catch((error) => explain(error, name))
  client.close()
}
