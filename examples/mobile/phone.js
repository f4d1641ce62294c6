// A phone with the app. Each start of the app is a process, which may be killed at any moment.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const app = join(import.meta.dirname, 'app.js')

/**
 * @param {object} phone
 * @param {string} phone.name as the user's other devices show it
 * @param {string} phone.keyStore the folder
 * @param {string} phone.url the URL of Sallyport
 * @param {string[]} [phone.node] the command that runs a script
 * @param {Record<string, string>} [phone.env]
 */
export function createPhone({ name, keyStore, url, node = [process.execPath], env = {} }) {
  const [program, ...options] = node

  /** Starts the app. `input` is what the user types. */
  function open(command, input = '') {
    const child = spawn(program, [...options, app, ...command], {
      env: { PATH: process.env.PATH, SALLYPORT_URL: url, KEY_STORE: keyStore, DEVICE_NAME: name, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (bytes) => (said += String(bytes)))
    // A command that reads no input may have exited before this is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(`${input}\n`)
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode, said }))
    return {
      /** @type {Promise<{ code: number | null, signal: string | null, said: string }>} */
      ended,
      /**
       * Waits for an event while the app runs. Throws if the app exits first.
       * @template T
       * @param {Promise<T>} event
       * @returns {Promise<T>}
       */
      until: (event) => Promise.race([event, ended.then(({ said }) => Promise.reject(new Error(`It ended: ${said}`)))]),
      /** Resolves when the app has printed a text. */
      says: (text) =>
        new Promise((resolve) => {
          const look = () => said.includes(text) && resolve(said)
          child.stdout.on('data', look)
          look()
        }),
      /** Sends SIGKILL, as a phone does that runs out of memory. */
      kill: () => {
        child.kill('SIGKILL')
        return ended
      },
    }
  }

  return {
    open,
    /** Starts the app and waits until it has exited. */
    run: (command, input) => open(command, input).ended,
  }
}
