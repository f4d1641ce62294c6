import { createDeadline } from './deadline.js'
import type { ClientClock } from './options.js'

export const systemClock: ClientClock = {
  now: () => Date.now(),
  pause: (ms, signal) =>
    new Promise((resolve) => {
      const deadline = createDeadline(ms, signal)
      const end = () => {
        deadline.end()
        resolve()
      }
      if (deadline.signal.aborted) end()
      else deadline.signal.addEventListener('abort', end)
    }),
}
