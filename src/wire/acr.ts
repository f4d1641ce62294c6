/**
 * The strength of an authentication, weakest first (`acr`): one factor, two factors, a phishing-resistant factor. A
 * stronger one satisfies the requirement of a weaker one.
 */
export const acrLevels = ['aal1', 'aal2', 'phr'] as const

export type Acr = (typeof acrLevels)[number]
