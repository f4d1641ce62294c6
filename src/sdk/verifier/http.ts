/** Requests to Sallyport: bounded in time and size, without redirects. */

export type Fetch = typeof fetch

export interface Answer {
  status: number
  headers: Headers
  text: string
}

export interface AskOptions {
  fetch: Fetch
  /** Aborts requests in progress. */
  stop: AbortSignal
  timeoutMs: number
  maxBytes: number
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/** Sends a request and reads the whole response. Throws on a timeout, a redirect, and a response that is too long. */
export async function ask(url: string, options: AskOptions): Promise<Answer> {
  const { fetch, stop, timeoutMs, maxBytes, method = 'GET', headers = {}, body } = options
  const deadline = createDeadline(stop, timeoutMs)
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'error',
      signal: deadline.signal,
      ...(body === undefined ? {} : { body }),
    })
    let text = ''
    for await (const piece of readText(response, deadline.signal, maxBytes)) text += piece
    return { status: response.status, headers: response.headers, text }
  } finally {
    deadline.end()
  }
}

/**
 * Yields the text of a response as it arrives. The connection is closed when the caller stops reading or the signal aborts.
 * The signal is observed here too, because the `fetch` of Node 20 and 22 drops it after the response headers arrived and
 * garbage was collected.
 */
export async function* readText(response: Response, signal: AbortSignal, maxBytes = Infinity): AsyncGenerator<string> {
  const body: ReadableStream<Uint8Array> | null = response.body
  if (body === null) return
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const cancel = () => void reader.cancel(signal.reason).catch(() => undefined)
  signal.addEventListener('abort', cancel)
  let bytes = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) break
      bytes += value.byteLength
      if (bytes > maxBytes) throw new Error(`The response is longer than ${maxBytes} bytes.`)
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

export interface Deadline {
  signal: AbortSignal
  /** Restarts the timeout. */
  extend(): void
  /** Releases the timer, the listeners and the connection. */
  end(): void
}

/**
 * Aborts after a timeout, which can be extended, and with `stop`. AbortSignal.any would do the same, but leaks memory on
 * Node 20 with a signal that lives as long as `stop`.
 */
export function createDeadline(stop: AbortSignal, timeoutMs: number): Deadline {
  const controller = new AbortController()
  const abort = () => controller.abort(new Error('The verifier is closed.'))
  const expire = () => controller.abort(new Error(`No response from Sallyport for ${timeoutMs} ms.`))
  let timer = setTimeout(expire, timeoutMs)
  stop.addEventListener('abort', abort)
  if (stop.aborted) abort()
  return {
    signal: controller.signal,
    extend() {
      clearTimeout(timer)
      timer = setTimeout(expire, timeoutMs)
    },
    end() {
      clearTimeout(timer)
      stop.removeEventListener('abort', abort)
      controller.abort()
    },
  }
}

/** Waits for a delay, or until `stop`. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    stop.addEventListener('abort', end)
    if (stop.aborted) end()
  })
}

/** Converts a thrown value to an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
