import { fastify } from 'fastify'
import t from 'tap'
import { traceRequests } from '../../../src/platform/tracing/request-traces.js'
import { noTracing } from '../../../src/platform/tracing/tracing.js'

const traceparent = '00-af7651916cd43dd8448eb211c80319c7-b7ad6b7169203331-00'

t.test('no stranger decides whether a request is traced', async (t) => {
  const seen: (string | undefined)[] = []
  const app = fastify({ trustProxy: ['10.0.0.0/24'] })
  t.teardown(() => app.close())
  const openRequest = (parent: string | undefined) => {
    seen.push(parent)
    return null
  }
  traceRequests(app, { ...noTracing, enabled: true, openRequest }, { trustProxy: ['10.0.0.0/24'] })
  app.get('/', () => 'ok')
  const ask = (remoteAddress: string, headers: Record<string, string> = {}) =>
    app.inject({ url: '/', remoteAddress, headers: { traceparent, ...headers } })

  await ask('10.0.0.2')
  await ask('::ffff:10.0.0.2')
  t.strictSame(seen.splice(0), [traceparent, traceparent], 'a proxy that is listed')
  await ask('203.0.113.7')
  await ask('203.0.113.7', { 'x-forwarded-for': '10.0.0.2' })
  await ask('10.0.1.2')
  t.strictSame(seen.splice(0), [undefined, undefined, undefined])
})
