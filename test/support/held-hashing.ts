import argon2 from 'argon2'
import type { Test } from 'tap'

/** Holds back the next comparison of a password. Resolves, once it has begun, to a function that releases it. */
export function holdNextComparison(t: Test): Promise<() => void> {
  const { verify } = argon2
  return new Promise((resolve) => {
    const compare = async (...args: Parameters<typeof verify>) => {
      restore()
      await new Promise<void>((letGoOn) => resolve(letGoOn))
      return verify(...args)
    }
    const { restore } = t.intercept(argon2, 'verify', { configurable: true, value: compare })
  })
}
