// Loaded into a server (`node --expose-gc --import`): on request of the parent process, collects all garbage and
// reports the memory that is left.

const { gc } = globalThis
if (gc === undefined || process.channel === undefined)
  throw new Error('This needs --expose-gc and a parent process with an IPC channel.')

process.on('message', () => {
  gc()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({ heapBytes: heapUsed, residentBytes: rss })
})
// The IPC channel must not keep the process from exiting.
process.channel.unref()
