import { Session } from 'node:inspector/promises'

/**
 * The functions of src that a piece of work enters, from V8's coverage. The platform is omitted, because it is common
 * to all requests.
 */
export interface EnteredFiles {
  /** The files with functions that the work enters, except those in `known`. */
  during(work: () => Promise<unknown>, known?: Entered): Promise<Entered>
  stop(): void
}

/** The entered functions, by the path of the file below src, without its extension. */
export type Entered = Map<string, Set<string>>

export async function watchEnteredFiles(): Promise<EnteredFiles> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

  async function take(known: Entered): Promise<Entered> {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const entered: Entered = new Map()
    for (const { url, functions } of result) {
      const path = /\/src\/(?!generated\/|platform\/)([^?]+)\.[jt]s$/.exec(url)?.[1]
      if (path === undefined || url.includes('/node_modules/')) continue
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges
        // The module itself appears as a function without a name at the beginning of its file.
        if (!whole || whole.count === 0 || (functionName === '' && whole.startOffset === 0)) continue
        const name = `${functionName}@${whole.startOffset}`
        if (!known.get(path)?.has(name)) entered.set(path, (entered.get(path) ?? new Set()).add(name))
      }
    }
    return entered
  }

  return {
    async during(work, known = new Map()) {
      await take(new Map())
      await work()
      return take(known)
    },
    stop: () => session.disconnect(),
  }
}
