import root from 'tap'

/** The test of the file that is running; without a batch (batch.js), the root of the process, as in tap itself. */
let current = root

/** Runs test files one after the other, each as a test of its own: what it declares becomes a part of that. */
export async function runFiles(files) {
  // So that a process that ends early fails, whatever it has exited with.
  root.plan(files.length)
  for (const { file, path } of files) {
    await root.test(file, async (t) => {
      current = t
      await import(path)
    })
  }
}

/** What a compiled test file gets as `t` in place of tap's own: that of the file. */
export default new Proxy(root, {
  get(_, name) {
    const value = current[name]
    return typeof value === 'function' ? value.bind(current) : value
  },
  set(_, name, value) {
    current[name] = value
    return true
  },
})
