/**
 * The strength of an authentication, weakest first (`acr`): one factor, two factors, a phishing-resistant factor. A
 * stronger one satisfies the requirement of a weaker one.
 */
export const acrLevels = ['aal1', 'aal2', 'phr'] as const

export type Acr = (typeof acrLevels)[number]

/** The level of a claim `acr`, as a number. A token that tells none, or one that is not known, has the lowest. */
export function levelOf(acr: unknown): number {
  return Math.max(
    0,
    acrLevels.findIndex((level) => level === acr),
  )
}
