// The network between a phone and Sallyport: a proxy that can go away, and that loses a request or an answer on demand.
import { once } from 'node:events'
import { createServer, request } from 'node:http'

/**
 * What has been stopped on its way.
 * @typedef {{ headers: import('node:http').IncomingHttpHeaders }} StoppedRequest
 * @typedef {StoppedRequest & { deliver(): void, lose(): void }} StoppedAnswer
 */

/**
 * @param {string} serverUrl where Sallyport is, without a slash at its end
 */
export async function startNetwork(serverUrl) {
  let target = serverUrl
  /** What is to be stopped on its way, the next time that it passes. */
  const stops = []

  const proxy = createServer((incoming, outgoing) => {
    const { headers, method } = incoming
    const stop = takeStop(stops, incoming.url)
    if (stop?.what === 'request') return stop.reached({ headers })

    const onward = request(target + incoming.url, { method, headers, agent: false })
    outgoing.on('close', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (answer) => {
      const deliver = () => answer.pipe(outgoing.writeHead(answer.statusCode, answer.headers))
      if (stop) stop.reached({ headers, deliver, lose: () => outgoing.destroy() })
      else deliver()
    })
    incoming.pipe(onward)
  })
  const listen = async (port) => {
    proxy.listen(port, '127.0.0.1')
    await once(proxy, 'listening')
  }
  const disconnect = async () => {
    if (!proxy.listening) return
    const closed = once(proxy, 'close')
    proxy.close()
    proxy.closeAllConnections()
    await closed
  }
  await listen(0)
  const { port } = proxy.address()

  return {
    url: `http://127.0.0.1:${port}`,
    /** From now on, every connection is refused. */
    disconnect,
    connect: () => listen(port),
    /** Sallyport has moved. */
    leadTo(url) {
      target = url
    },
    /**
     * Stops the next request for a path. Resolves when it has come as far as here; Sallyport never hears of it.
     * @returns {Promise<StoppedRequest>}
     */
    stopRequest: (path) => new Promise((reached) => stops.push({ what: 'request', path, reached })),
    /**
     * Stops the next answer to a request for a path. Resolves when Sallyport has done what it was asked.
     * @returns {Promise<StoppedAnswer>}
     */
    stopAnswer: (path) => new Promise((reached) => stops.push({ what: 'answer', path, reached })),
  }
}

function takeStop(stops, url) {
  const index = stops.findIndex(({ path }) => url === path)
  return index < 0 ? undefined : stops.splice(index, 1)[0]
}
