import { eventLoop } from '../event-loop.js'
import type { AppInstance } from './app-instance.js'

/** Has every request begin when its turn of the event loop comes; probes first. The first hook of all. */
export function takeTurns(app: AppInstance): void {
  app.server.on('connection', () => eventLoop.accepted())
  app.addHook('onRequest', (request, _reply, done) => {
    eventLoop.beginRequest(done, () => request.routeOptions.config.access === 'probe')
  })
}
