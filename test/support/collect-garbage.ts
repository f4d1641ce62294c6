import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects garbage repeatedly until the returned function is called. */
export function keepCollectingGarbage(): () => void {
  const timer = setInterval(collect, 50)
  return () => clearInterval(timer)
}
