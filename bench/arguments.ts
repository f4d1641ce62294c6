/**
 * Reads the arguments of a program. On `--help`, or when an argument is wrong, prints the usage and ends the process
 * with exit code 0 or 2.
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
  throw new Error(`${text} is not a number from 1 to ${max}.`)
}
