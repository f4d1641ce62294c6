// The upper bound of a login: argon2id alone, with UV_THREADPOOL_SIZE hashes at a time, for SECONDS; prints the rate.

import argon2 from 'argon2'
import { PASSWORD } from './population.js'

const { UV_THREADPOOL_SIZE = '4', SECONDS = '1' } = process.env
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const hash = await argon2.hash(PASSWORD, parameters)
await Promise.all(Array.from({ length: Number(UV_THREADPOOL_SIZE) }, () => argon2.verify(hash, PASSWORD)))

const begin = performance.now()
const end = begin + Number(SECONDS) * 1000
let count = 0
await Promise.all(
  Array.from({ length: Number(UV_THREADPOOL_SIZE) }, async () => {
    for (; performance.now() < end; count += 1) await argon2.verify(hash, PASSWORD)
  }),
)
console.log((count / (performance.now() - begin)) * 1000)
