/** The header in which a verifier shows its credential when it hands on the cookies of a browser. */
export const VERIFIER_HEADER = 'x-sallyport-verifier'
