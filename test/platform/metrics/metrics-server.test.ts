import t from 'tap'
import { createMetrics } from '../../../src/platform/metrics/metrics.js'
import { serveMetrics } from '../../../src/platform/metrics/metrics-server.js'

t.test('metrics are served at a separate port, at one path and nothing else', async (t) => {
  const metrics = await createMetrics()
  const count = metrics.counter({ name: 'things_total', help: 'Things.' }, { name: 'kind', values: ['one', 'other'] })
  const server = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.close())
  count('one')
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method })

  const answer = await ask('/metrics')
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  t.match(text, 'sallyport_things_total{kind="one"} 1\nsallyport_things_total{kind="other"} 0\n')
  t.match(text, 'process_resident_memory_bytes')
  t.equal((await ask('/metrics?again')).status, 200)
  t.equal((await ask('/')).status, 404)
  t.equal((await ask('/metrics/')).status, 404)
  t.equal((await ask('/metrics', 'POST')).status, 405)
})

t.test('metrics that cannot be read fail only the scrape', async (t) => {
  const metrics = await createMetrics()
  metrics.gauge({ name: 'broken', help: 'Broken.' }, () => {
    throw new Error('broken')
  })
  const server = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.close())
  t.equal((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status, 500)
})
