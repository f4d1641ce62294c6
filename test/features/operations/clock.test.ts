import { mock } from 'node:test'
import t from 'tap'
import { startApp } from '../../support/app.js'
import { until } from '../../support/until.js'

t.test('OPS-08: a clock that jumps while the process runs is corrected within a second', async (t) => {
  const { api, app, clock } = await startApp(t)
  mock.timers.enable({ apis: ['setInterval'] })
  const stop = app.operations.start()
  t.teardown(async () => {
    await stop()
    mock.timers.reset()
  })

  clock.drift({ seconds: -30 })
  const { accessToken } = await api.signUp()
  t.match(
    await api.whoami(accessToken),
    { status: 401 },
    'the database issues it at a time in the future of this process',
  )
  mock.timers.tick(1000)
  await until(() => Promise.resolve(clock.skewMs > 29_000))
  t.match(await api.whoami(accessToken), { status: 200 })

  clock.drift({ seconds: 60 })
  mock.timers.tick(1000)
  await until(() => Promise.resolve(clock.skewMs < -29_000))
  t.match(await api.whoami(accessToken), { status: 200 })
})
