/**
 * Sets the size of Node's thread pool, which computes hashes besides DNS lookups and file reads. Loaded by `node
 * --require`, before anything else, because loading the first module of the program starts the pool with its final
 * size. It has one thread more than concurrent hashes, so that nothing else waits for a hash; not more, because each
 * thread keeps the memory of its last hash.
 */
import os = require('node:os')

try {
  process.loadEnvFile()
} catch {
  // The file does not exist, or config.ts reports what is wrong with it.
}

const workers = Number(process.env.WORKERS ?? '') || 1
const share = Math.max(1, Math.min(Math.floor(os.availableParallelism() / workers), 4))
const concurrency = Number(process.env.HASHING_CONCURRENCY ?? '') || share
const FEWEST = 2
const MOST = 1024
process.env.UV_THREADPOOL_SIZE ??= String(Math.min(MOST, Math.max(FEWEST, Math.floor(concurrency) + 1)))
