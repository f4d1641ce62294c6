import { createDeadline } from './deadline.js'
import { ignore } from './ignore.js'
import type { ClientClock } from './options.js'

export const systemClock: ClientClock = {
  now: () => Date.now(),
  pause: (ms, signal) => createDeadline(ms, signal).late.catch(ignore),
}
