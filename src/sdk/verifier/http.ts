/** What goes out to Sallyport: bounded in time and in size, and never on to wherever an answer points. */

export type Fetch = typeof fetch

export interface Answer {
  status: number
  headers: Headers
  text: string
}

export interface AskOptions {
  fetch: Fetch
  /** Ends what is under way. */
  stop: AbortSignal
  timeoutMs: number
  maxBytes: number
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/** The whole answer to a request. Throws when there is none in time, when it is too long, and on a redirect. */
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
 * The text of an answer as it arrives. Whoever stops reading ends the connection, and so does the signal: the `fetch` of
 * Node 20 and 22 forgets it once the head of an answer is there and garbage has been collected, so it is heard here too.
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
  /** Starts the time again. */
  extend(): void
  /** Leaves nothing behind: no timer, no listener, no connection whose answer nobody has read. */
  end(): void
}

/**
 * Aborts after a time without a sign of life, and with `stop`. AbortSignal.any would do the same, but on Node 20 it
 * leaves something behind on a signal that lives as long as `stop`.
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

/** Waits, but no longer than until `stop`. */
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

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
