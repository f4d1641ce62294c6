// Faults of a phone, step by step, with a running Sallyport: `npm start` in one terminal, this in another. Each step
// checks how the app exits, and the story fails at the first difference.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startNetwork } from './network.js'
import { createPhone } from './phone.js'

const { SALLYPORT_URL = 'http://localhost:3000' } = process.env
const REFRESH = '/v1/auth/refresh'
/** The exit codes of the app: see README.md. */
const [DONE, SIGNED_OUT, NOT_NOW] = [0, 2, 3]

const email = `ada-${randomBytes(4).toString('hex')}@example.com`
const password = 'copper lantern drifts over seven hills'
const newPassword = 'violet otters juggle paper lanterns'

const folder = await mkdtemp(join(tmpdir(), 'sallyport-mobile-'))
const network = await startNetwork(SALLYPORT_URL)
const phone = createPhone({ name: 'Phone', keyStore: join(folder, 'phone'), url: network.url })
const tablet = createPhone({ name: 'Tablet', keyStore: join(folder, 'tablet'), url: network.url })

const tell = (text) => console.log(`\n${text}`)
const show = (text) => console.log(text.trimEnd().replace(/^/gm, '    '))
const sessionOf = (said) => /session ([0-9a-f-]{36})/.exec(said)?.[1]
const attemptOf = ({ headers }) => headers['idempotency-key']

function expect(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}.`)
}

/** Starts the app and waits until it has exited. */
async function open(device, command, { code = DONE, input } = {}) {
  console.log(`  $ ${command.join(' ')}`)
  const ended = await device.run(command, input)
  show(ended.said)
  expect(ended.code, code, 'The app exited with')
  return ended.said
}

/** Starts the app on the phone and kills it as soon as the network has held something back. */
async function openAndKill(stopped) {
  console.log('  $ whoami')
  const running = phone.open(['whoami'])
  const what = await running.until(stopped)
  await running.kill()
  show('Killed.')
  return what
}

async function openInSame(session) {
  expect(sessionOf(await open(phone, ['whoami'])), session, 'The session is')
  show('It is the same session.')
}

async function signUp() {
  tell(`Ada registers on her phone, as ${email}.`)
  await open(phone, ['register', email], { input: password })
  tell('She opens the app again, and it calls a route that requires an access token.')
  return sessionOf(await open(phone, ['whoami']))
}

async function getKilled(session) {
  tell('The app refreshes and Sallyport rotates the token; before the response arrives: kill -9.')
  await openAndKill(network.stopAnswer(REFRESH))
  tell('Opened again, it finds the old token in its key store, and the attempt key that it stored with it.')
  await openInSame(session)

  tell('The app has stored its attempt; before the request reaches Sallyport: kill -9.')
  await openAndKill(network.stopRequest(REFRESH))
  tell('Opened again, it repeats the same attempt.')
  await openInSame(session)
}

async function goOffline(session) {
  tell('Another response is lost, and then the network fails.')
  const lost = attemptOf(await openAndKill(network.stopAnswer(REFRESH)))
  show(`The attempt key was ${lost}.`)
  await network.disconnect()
  await open(phone, ['whoami'], { code: NOT_NOW })
  await open(phone, ['profile'], { code: NOT_NOW })
  tell('It may stay so for a day or longer: this story cannot change the clock of your Sallyport, but its response')
  console.log('would be the same, up to the 30 days that a session of mode json may be unused.')

  tell('The network is back.')
  await network.connect()
  console.log('  $ whoami')
  const answer = network.stopAnswer(REFRESH)
  const running = phone.open(['whoami'])
  const { deliver, ...sent } = await running.until(answer)
  deliver()
  const { said } = await running.ended
  show(said)
  expect(attemptOf(sent), lost, 'The attempt key is')
  expect(sessionOf(said), session, 'The session is')
  show('The request had the same attempt key, and it is the same session.')
}

/** Sallyport's development inbox; null if it sends real mails. */
async function readCode() {
  const url = `${SALLYPORT_URL}/dev/inbox.json?to=${encodeURIComponent(email)}`
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(100)) {
    const answer = await fetch(url)
    if (!answer.ok) return null
    const { mails } = await answer.json()
    const mail = mails.find(({ kind }) => kind === 'reset_password')
    if (mail) return mail.code
  }
  return null
}

async function waitForMail() {
  tell('Ada has forgotten her password. The tablet asks for a mail and, before it arrives: kill -9.')
  console.log(`  $ forgot ${email}`)
  const running = tablet.open(['forgot', email])
  const { deliver } = await running.until(network.stopAnswer('/v1/auth/forgot-password'))
  deliver()
  await running.until(running.says('on its way'))
  await running.kill()
  show('Killed.')
  tell('Opened again, it still waits for the code of that mail, which counts only with what is in its key store.')
  const said = await open(tablet, ['whoami'], { code: SIGNED_OUT })
  if (!said.includes('the mail to')) throw new Error('The app does not know what it waits for.')
  const code = await readCode()
  if (code === null) return show('Your Sallyport has no development inbox, so this part of the story ends here.')
  tell('The mail has arrived. She types its code and a new password, and signs in.')
  await open(tablet, ['reset', code], { input: newPassword })
  await open(tablet, ['login', email], { input: newPassword })
  await open(tablet, ['logout'])
}

async function logOut(session) {
  tell('Ada signs in on her tablet, looks at her devices, and logs the phone out.')
  await open(tablet, ['login', email], { input: password })
  await open(tablet, ['sessions'])
  await open(tablet, ['end', session])
  tell('The phone shows the reason.')
  await open(phone, ['whoami'], { code: SIGNED_OUT })
  tell('She logs out on the tablet.')
  await open(tablet, ['logout'])
  await open(tablet, ['whoami'], { code: SIGNED_OUT })
}

async function isThere() {
  const answer = await fetch(`${SALLYPORT_URL}/livez`).catch(() => null)
  return answer?.ok === true
}

try {
  if (await isThere()) {
    const session = await signUp()
    await getKilled(session)
    await goOffline(session)
    await logOut(session)
    await waitForMail()
  } else {
    console.error(
      `Sallyport does not respond at ${SALLYPORT_URL}: run "npm start" in another terminal, or set SALLYPORT_URL.`,
    )
    process.exitCode = 1
  }
} finally {
  await network.disconnect()
  await rm(folder, { recursive: true })
}
