// newman brings no types. What it tells of a run is parsed in newman.ts.

declare module 'newman' {
  import type { EventEmitter } from 'node:events'

  const newman: {
    run(options: Record<string, unknown>, callback: (error: Error | null, summary: unknown) => void): EventEmitter
  }
  export default newman
}
