/**
 * EdDSA, ES256 and RS256 (RFC 9053): what every supported version of Node verifies. The library would add what the one has
 * on which a passkey is made, and an instance on another could not verify it.
 */
export const algorithms: readonly number[] = [-8, -7, -257]
