// User input is shown to an operator on a terminal, which interprets some characters as commands.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'

t.test('a device name or a forwarded address can neither move the cursor nor start a line', async (t) => {
  const { api, app } = await startApp(t, { settings: { TRUST_PROXY: '127.0.0.1' } })
  const { email } = await api.signUp()
  const hostile: [string, string][] = [
    ['\u001b[2K\u001b[1A', 'an escape'],
    ['\u009b2K', 'a single-character escape'],
    ['\r\n', 'a new line'],
    ['\u2028', 'a line separator'],
    ['\u202e', 'a direction override'],
    ['\u200b', 'nothing to see'],
    ['\u{e0041}', 'a tag'],
    ['"  last used never from nowhere', 'a closing quote'],
  ]
  for (const [text, what] of hostile) {
    const body = { email, password: PASSWORD, mode: 'json', device_name: `a${text}b` }
    const headers = { 'x-forwarded-for': '203.0.113.7\u009b2K' }
    t.match(await api.login(body, { headers }), { status: 200 }, what)
  }
  const trail = await runCommand(app.operator, 'audit', ['--user', email])
  t.equal(trail.length, hostile.length + 1)
  for (const line of trail) t.notMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u)
  const lines = await runCommand(app.operator, 'user:sessions', ['--email', email])
  t.equal(lines.length, hostile.length + 1)
  for (const line of lines) t.notMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u)
  t.equal(lines.filter((line) => line.includes('"a\\"  last used never from nowhereb"  last used ')).length, 1)
  t.ok(
    lines.some((line) => line.includes(String.raw`a\u{202e}b`)),
    'and the removed characters are visible as such',
  )
})
