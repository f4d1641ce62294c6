/**
 * Sizes Node's pool of threads, which computes hashes beside looking up names and reading files. Loaded by `node
 * --require`, before anything else: loading the first module of the program already starts the pool, and its size is
 * settled then. One thread more than hashes at once, so that nothing else ever waits for a hash;
 * not more, because each keeps the memory of its last hash.
 */
import os = require('node:os')

try {
  process.loadEnvFile()
} catch {
  // There is no such file, or it is for config.ts to say what is wrong with it.
}

const workers = Number(process.env.WORKERS ?? '') || 1
const share = Math.max(1, Math.min(Math.floor(os.availableParallelism() / workers), 4))
const concurrency = Number(process.env.HASHING_CONCURRENCY ?? '') || share
const FEWEST = 2
const MOST = 1024
process.env.UV_THREADPOOL_SIZE ??= String(Math.min(MOST, Math.max(FEWEST, Math.floor(concurrency) + 1)))
