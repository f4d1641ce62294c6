// Loaded into a server (`node --expose-gc --import`): when its parent asks, collects all garbage and answers what is left.

const { gc } = globalThis
if (gc === undefined || process.channel === undefined) throw new Error('This needs --expose-gc and a parent that asks.')

process.on('message', () => {
  gc()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({ heapBytes: heapUsed, residentBytes: rss })
})
// Who listens to a parent must not be kept from ending by it.
process.channel.unref()
