// Shares the one thread between what waits for it. libuv accepts one connection in each turn of the event loop, so a turn
// has to be short: it begins some requests and one statement of the embedded database, and the rest waits for the next.
// While connections keep arriving, turns do nothing else for a moment, because accepting one takes a tenth of a
// millisecond, and a request ten times as long.

/** How many requests begin in one turn. One takes up to a millisecond. */
const REQUESTS_PER_TURN = 16
/** How long arriving connections go before everything else, and how long they then do not. */
const PRECEDENCE_MS = 20
const NO_PRECEDENCE_MS = 20

export interface EventLoop {
  /** Is told of each new connection. */
  accepted(): void
  /** Begins a request: at once, where few have begun in this turn. First come, first served, but for the urgent ones. */
  beginRequest(begin: () => void, isUrgent: () => boolean): void
  /** Begins a statement of the embedded database in a turn of its own. */
  beginStatement(begin: () => void): void
}

export interface EventLoopOptions {
  /** Calls back in the next turn. */
  nextTurn?: (work: () => void) => void
  nowMs?: () => number
}

export function createEventLoop({
  nextTurn = setImmediate,
  nowMs = () => performance.now(),
}: EventLoopOptions = {}): EventLoop {
  const urgentRequests = createQueue()
  const requests = createQueue()
  const statements = createQueue()
  let begun = 0
  let isTurnDue = false
  let hasAccepted = false
  /** When the present time of precedence began; null when no connection came lately. */
  let precedenceSince: number | null = null

  const waiting = () => urgentRequests.length + requests.length

  function requireTurn(): void {
    if (isTurnDue) return
    isTurnDue = true
    nextTurn(turn)
  }

  function turn(): void {
    isTurnDue = false
    begun = 0
    if (!areConnectionsFirst()) {
      statements.shift()?.()
      while (begun < REQUESTS_PER_TURN && waiting() > 0) {
        begun += 1
        const begin = urgentRequests.shift() ?? requests.shift()
        begin?.()
      }
    }
    if (hasAccepted || begun > 0 || waiting() + statements.length > 0) requireTurn()
    hasAccepted = false
  }

  function areConnectionsFirst(): boolean {
    if (!hasAccepted) {
      precedenceSince = null
      return false
    }
    precedenceSince ??= nowMs()
    const lastedMs = nowMs() - precedenceSince
    if (lastedMs >= PRECEDENCE_MS + NO_PRECEDENCE_MS) precedenceSince = null
    return lastedMs < PRECEDENCE_MS
  }

  return {
    accepted() {
      hasAccepted = true
      requireTurn()
    },
    beginRequest(begin, isUrgent) {
      if (waiting() === 0 && begun < REQUESTS_PER_TURN && !hasAccepted) {
        begun += 1
        requireTurn()
        begin()
        return
      }
      const queue = isUrgent() ? urgentRequests : requests
      queue.push(begin)
      requireTurn()
    },
    beginStatement(begin) {
      statements.push(begin)
      requireTurn()
    },
  }
}

/** The event loop of this process. */
export const eventLoop = createEventLoop()

/** First in, first out, at a cost that does not depend on the length. */
function createQueue() {
  let first: (() => void)[] = []
  let last: (() => void)[] = []
  return {
    get length() {
      return first.length + last.length
    },
    push: (work: () => void) => void last.push(work),
    shift(): (() => void) | undefined {
      if (first.length === 0) [first, last] = [last.reverse(), []]
      return first.pop()
    },
  }
}
