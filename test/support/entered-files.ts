import { Session } from 'node:inspector/promises'

/** The functions of src that work enters, by V8's own counts. The platform is left out: it has never heard of users. */
export interface EnteredFiles {
  /** The files whose functions work enters, but for the functions that `known` has. */
  during(work: () => Promise<unknown>, known?: Entered): Promise<Entered>
  stop(): void
}

/** By the path of a file below src, without its ending: the functions that were entered. */
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
        // A module itself is a function without a name at the beginning of its file.
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
