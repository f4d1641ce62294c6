// Something between the app and Sallyport responds instead of it, such as a captive portal.

import t from 'tap'
import { createClient } from '../../../src/sdk/client/client.js'
import { PASSWORD } from '../../support/api.js'
import { startApp } from '../../support/app.js'
import { connectTo } from '../../support/client.js'

const { app } = await startApp(t)
const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.server)

t.test('a foreign response is neither accepted nor a reason to sign the user out', async (t) => {
  let isHotel = false
  const client = createClient({
    baseUrl: `http://127.0.0.1:${port}`,
    mode: 'json',
    fetch: async (input, init) =>
      isHotel ? new Response('<h1>Welcome</h1>', { headers: { 'content-type': 'text/html' } }) : fetch(input, init),
    clock: { now: Date.now, pause: async () => undefined },
  })
  t.teardown(() => client.close())
  const credentials = { email: 'ada@example.com', password: PASSWORD }
  await client.register(credentials)
  const { state } = client

  isHotel = true
  const calls: (() => Promise<unknown>)[] = [
    () => client.refresh(),
    () => client.login(credentials),
    () => client.me(),
    () => client.updateMe({ name: 'Ada' }),
    () => client.changePassword({ current_password: PASSWORD, new_password: 'seven hills drift over copper lantern' }),
    () => client.sessions(),
    () => client.renameSession('id', 'Phone'),
    () => client.endSession('id'),
    () => client.endOtherSessions(),
    () => client.apps(),
    () => client.endApp('orders-app'),
    () => client.logout(),
    () => client.logoutAll(),
    () => client.deleteMe({ password: PASSWORD }),
  ]
  for (const call of calls) {
    await t.rejects(
      async () => {
        await call()
      },
      { code: 'unexpected_answer', status: 200 },
      String(call),
    )
    t.equal(client.state, state)
  }

  isHotel = false
  t.match(await client.me(), { email: 'ada@example.com', name: null })
  await client.refresh()
  await client.logout()
  t.match(client.state, { status: 'signed_out', reason: 'logout' })
})
