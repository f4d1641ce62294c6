/** Well-known passphrases, which the estimator takes for rare words. */
const famous = ['correct horse battery staple', 'diceware is easy to remember']

/** Those of our own guides, examples and collection: fine for first steps, but not in production. */
export const examplePasswords = [
  'copper lantern drifts over seven hills',
  'violet otters juggle paper lanterns',
  'seven lanterns drift over copper hills',
]

/**
 * Tells whether a password holds a published passphrase, in whatever case and however its words are divided.
 */
export function createPublishedCheck({ refusesExamples }: { refusesExamples: boolean }): (password: string) => boolean {
  const published = [...famous, ...(refusesExamples ? examplePasswords : [])].map(lettersOf)
  return (password) => {
    const letters = lettersOf(password)
    return published.some((passphrase) => letters.includes(passphrase))
  }
}

function lettersOf(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
}
