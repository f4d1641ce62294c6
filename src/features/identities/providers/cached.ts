import type { Clock } from '../../../platform/clock.js'

/** How long a document is kept that could not be read again, until the next attempt. */
const RETRY_AFTER_MS = 60_000

/** A document of a provider that is read when it is first needed. */
export interface Cached<T> {
  /** The document, read at most once at a time. An old one serves where the provider does not answer. */
  get(): Promise<T>
  /** Reads it again, unless it was read within this time. */
  reload(unlessWithinMs: number): Promise<T>
}

export function createCached<T>(options: {
  clock: Pick<Clock, 'elapsedMs'>
  ttlMs: number
  load: () => Promise<T>
}): Cached<T> {
  const { clock, ttlMs, load } = options
  let known: { value: T; readAtMs: number; freshUntilMs: number } | null = null
  let loading: Promise<T> | null = null

  function start(): Promise<T> {
    loading ??= load()
      .then((value) => {
        known = { value, readAtMs: clock.elapsedMs(), freshUntilMs: clock.elapsedMs() + ttlMs }
        return value
      })
      .catch((error: unknown) => {
        if (known === null) throw error
        known = { ...known, freshUntilMs: clock.elapsedMs() + RETRY_AFTER_MS }
        return known.value
      })
      .finally(() => (loading = null))
    return loading
  }

  return {
    get: () => (known !== null && clock.elapsedMs() < known.freshUntilMs ? Promise.resolve(known.value) : start()),
    reload: (unlessWithinMs) =>
      known !== null && clock.elapsedMs() - known.readAtMs < unlessWithinMs ? Promise.resolve(known.value) : start(),
  }
}
