// docs/architecture.md describes three requests file by file. The test compares the lists with the files that the
// requests enter, without those of hooks that run for every request.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { PASSWORD } from './support/api.js'
import { startApp } from './support/app.js'
import { watchEnteredFiles, type Entered } from './support/entered-files.js'

const page = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8')

/** The files in a section's list, as code spans at the beginning of its items. */
function walkOf(title: string): string[] {
  const [, section = ''] = page.split(`### ${title}\n`)
  const [own = ''] = section.split(/^##/m)
  return [...own.matchAll(/^\d+\. `([^`]+)\.ts`/gm)].map(([, file = '']) => file)
}

t.test('the walks of docs/architecture.md list exactly the files that a request enters', async (t) => {
  const { api } = await startApp(t, {
    routes: (server) =>
      server.post('/hooks', { schema: { body: z.object({}) }, config: { access: 'public' } }, () => ({})),
  })
  const user = await api.signUp({ mode: 'json' })
  let { refreshToken, accessToken } = user
  const { device_token } = user.answer.body
  const hooks = () => api.call('/hooks', { method: 'POST', body: {} })
  const requests = {
    // First, because a refresh returns a token that was never verified.
    verification: () => api.call('/v1/whoami', { token: accessToken }),
    refresh: async () => {
      const { body } = await api.refresh(refreshToken, { key: crypto.randomUUID() })
      refreshToken = body.refresh_token ?? ''
      accessToken = body.access_token ?? ''
    },
    // On a device that is known, as most are: of another one, the owner is told by mail.
    login: () => api.login({ email: user.email, password: PASSWORD, mode: 'json', device_token }),
  }
  const watch = await watchEnteredFiles()
  t.teardown(() => watch.stop())
  // Work that is done once, at the first request of its kind, is not part of the walk.
  for (const request of [...Object.values(requests), requests.refresh, requests.verification]) await request()
  const ofEvery = await watch.during(async () => {
    await hooks()
    await hooks()
  })
  const entered: Record<string, Entered> = {}
  for (const [name, request] of Object.entries(requests)) entered[name] = await watch.during(request, ofEvery)
  for (const [title, most] of [
    ['A refresh', 12],
    ['A login', 20],
    ['A verification', 8],
  ] as const) {
    const name = title.split(' ')[1] ?? ''
    const files = [...(entered[name]?.keys() ?? [])]
    t.strictSame(files.toSorted(), walkOf(title).toSorted(), title)
    t.ok(files.length <= most, `${title} enters at most ${most} files`)
  }
})
