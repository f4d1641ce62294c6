// The network between a phone and Sallyport: a proxy that can be switched off, and that loses a request or a response
// on demand.
import { once } from 'node:events'
import { createServer, request } from 'node:http'

/**
 * A request or a response that was held back.
 * @typedef {{ headers: import('node:http').IncomingHttpHeaders }} StoppedRequest
 * @typedef {StoppedRequest & { deliver(): void, lose(): void }} StoppedAnswer
 */

/** @param {string} serverUrl the URL of Sallyport, without a trailing slash */
export async function startNetwork(serverUrl) {
  let target = serverUrl
  /** The next request or response to hold back. */
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
    /** Sallyport has another URL now. */
    leadTo(url) {
      target = url
    },
    /**
     * Holds back the next request for a path. Resolves when it has arrived here; it does not reach Sallyport.
     * @returns {Promise<StoppedRequest>}
     */
    stopRequest: (path) => new Promise((reached) => stops.push({ what: 'request', path, reached })),
    /**
     * Holds back the response to the next request for a path. Resolves when Sallyport has processed the request.
     * @returns {Promise<StoppedAnswer>}
     */
    stopAnswer: (path) => new Promise((reached) => stops.push({ what: 'answer', path, reached })),
  }
}

function takeStop(stops, url) {
  const index = stops.findIndex(({ path }) => url === path)
  return index < 0 ? undefined : stops.splice(index, 1)[0]
}
