// The command that starts the example page. The page itself is tested in test/browser/.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findFreePort } from '../support/free-port.js'
import { createFolder } from '../support/process.js'

const script = fileURLToPath(new URL('../../examples/spa/start.ts', import.meta.url))

interface Test {
  teardown(work: () => void | Promise<void>): void
}

interface Command {
  process: ChildProcess
  /** Its whole output, once it contains this text. */
  says(words: string): Promise<string>
  /** The exit code. */
  ended: Promise<number | null>
}

function run(t: Test, ports: { PORT: number; PAGE_PORT: number }): Command {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    // Not the checkout, whose .env and .data belong to the developer.
    cwd: createFolder(t),
    env: { PATH: process.env.PATH, PORT: String(ports.PORT), PAGE_PORT: String(ports.PAGE_PORT) },
  })
  const ended = once(child, 'close').then(() => child.exitCode)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  const says = (words: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => said.includes(words) && resolve(said)
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      void ended.then(() => reject(new Error(`The process ended. ${said}`)))
      look()
    })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)))
  return { process: child, says, ended }
}

t.test('the example page: one command starts Sallyport and the page, whose origin Sallyport accepts', async (t) => {
  const [PORT, PAGE_PORT] = [await findFreePort(), await findFreePort()]
  const command = run(t, { PORT, PAGE_PORT })
  const [page, api] = [`http://localhost:${PAGE_PORT}`, `http://localhost:${PORT}`]
  // The lines for people: those of the log take another way to the same output, and may follow them.
  t.match(await command.says(`The page is at ${page}`), `${api}/docs`)

  const html = await (await fetch(page)).text()
  t.ok(html.includes('Content-Security-Policy') && html.includes(` ${api};`), 'the page may connect to it')
  const preflight = await fetch(`${api}/v1/auth/login`, {
    method: 'OPTIONS',
    headers: { origin: page, 'access-control-request-method': 'POST' },
  })
  t.equal(preflight.headers.get('access-control-allow-origin'), page)
  t.equal(preflight.headers.get('access-control-allow-credentials'), 'true')

  for (const file of ['package.json', 'dist/main.js', 'prisma/schema.prisma']) {
    const { pathname } = new URL(`../../${file}`, import.meta.url)
    t.equal((await fetch(`${page}/@fs${pathname}`)).status, 403, `${file} is not part of the page`)
  }

  command.process.kill('SIGINT')
  t.equal(await command.ended, 0, 'one signal stops both, gracefully')
})

t.test('the example page: a port in use is reported before anything starts', async (t) => {
  const taken = createServer().listen(0, 'localhost')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const free = await findFreePort()
  for (const ports of [
    { PORT: port, PAGE_PORT: free },
    { PORT: free, PAGE_PORT: port },
  ]) {
    const command = run(t, ports)
    const setting = ports.PORT === port ? 'PORT' : 'PAGE_PORT'
    t.match(await command.says('is taken'), `Port ${port} is taken. Stop what listens there, or set ${setting}`)
    t.equal(await command.ended, 1)
  }
})
