import { readConfig } from '../src/config.js'

/** The algorithm that a server signs with where none is set. */
export const DEFAULT_ALGORITHM = readConfig({}).tokens.signingAlgorithm
