/**
 * How strong an authentication was, the weakest first (`acr`): one factor, two factors, a factor that withstands
 * phishing. A stronger one stands in for a weaker one.
 */
export const acrLevels = ['aal1', 'aal2', 'phr'] as const

export type Acr = (typeof acrLevels)[number]
