// A phone with the app on it. Each start of the app is a process, which may be killed at any moment.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const app = join(import.meta.dirname, 'app.js')

/**
 * @param {object} phone
 * @param {string} phone.name as the user's other devices show it
 * @param {string} phone.keyStore the folder
 * @param {string} phone.url where it finds Sallyport
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
    // Whoever is not asked for anything may have ended before this is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(`${input}\n`)
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode, said }))
    return {
      /** @type {Promise<{ code: number | null, signal: string | null, said: string }>} */
      ended,
      /**
       * Waits for what happens while the app runs. Throws where the app ends without it.
       * @template T
       * @param {Promise<T>} event
       * @returns {Promise<T>}
       */
      until: (event) => Promise.race([event, ended.then(({ said }) => Promise.reject(new Error(`It ended: ${said}`)))]),
      /** What `kill -9` does, and a phone that needs the memory: the app has no time for anything. */
      kill: () => {
        child.kill('SIGKILL')
        return ended
      },
    }
  }

  return {
    open,
    /** Starts the app and waits until it has ended. */
    run: (command, input) => open(command, input).ended,
  }
}
