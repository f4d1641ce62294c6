/**
 * Reads what a program is started with. Where `--help` asks for it, or something is wrong, it tells how the program is
 * used, and the process ends, with exit code 0 or 2.
 */
export function readArguments<T>(usage: string, read: () => T): T {
  if (process.argv.includes('--help')) {
    console.log(`Usage: npm run ${usage}`)
    process.exit(0)
  }
  try {
    return read()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: npm run ${usage}`)
    process.exit(2)
  }
}

/** A whole number from 1 on. Throws for anything else. */
export function parseCount(text: string, max = 9999): number {
  const count = Number(text)
  if (/^[1-9]\d*$/.test(text) && count <= max) return count
  throw new Error(`${text} is no number from 1 to ${max}.`)
}
