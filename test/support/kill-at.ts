// Preloaded into a process (`node --import`), kills it as by kill -9 in the middle of its work: KILL_AT is a function
// of node:fs/promises and the number of its call in the folder KEY_STORE that is not carried out, as in "rename 2".

import { promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { KILL_AT = '', KEY_STORE = '' } = process.env
const [name = '', count] = KILL_AT.split(' ')
const original: unknown = Reflect.get(promises, name)
let left = Number(count)

if (typeof original !== 'function') throw new Error(`node:fs/promises has no ${name}.`)

Reflect.set(promises, name, (...args: unknown[]): unknown => {
  if (String(args[0]).startsWith(KEY_STORE)) left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  const result: unknown = Reflect.apply(original, promises, args)
  return result
})
syncBuiltinESMExports()
