import { base64url, calculateJwkThumbprint, compactVerify, EmbeddedJWK } from 'jose'
import { z } from 'zod'
import { parseJson } from '../../wire/access-token.js'
import type { MaybeBoundClaims } from '../../wire/claims.js'
import type { VerifierClock } from './clock.js'
import type { ShownRequest } from './cross-site.js'
import { VerificationError } from './verification-error.js'

/** What a client may sign a proof with. */
export const PROOF_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519']

/** How old a proof may be: clients make one for each request. */
const MAX_AGE_SECONDS = 60

const MAX_PROOF_LENGTH = 8192

const proofSchema = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
})

export interface ProofOptions {
  /** The public URL of this service. */
  url: string
  clockToleranceSeconds: number
  clock: VerifierClock
}

/** Verifies that a request proves to hold the key that its token is bound to; throws `token_invalid`. */
export type VerifyProof = (request: ShownRequest, token: string, claims: MaybeBoundClaims) => Promise<void>

/**
 * Creates the verification of DPoP proofs (RFC 9449, sections 4.3 and 7.1). A proof is accepted once by this process: the
 * ids of those that are recent enough are kept in memory.
 */
export function createProofVerification(options: ProofOptions): VerifyProof {
  const { clock, clockToleranceSeconds } = options
  const isFirst = createReplayWindow(clock, MAX_AGE_SECONDS + 2 * clockToleranceSeconds)

  return async (request, token, { cnf }) => {
    const { dpop } = request.headers
    // Two proofs are none (section 4.3).
    if (cnf === undefined || typeof dpop !== 'string' || dpop.length > MAX_PROOF_LENGTH) throw refusal()
    const { proof, thumbprint } = await readProof(dpop)
    const ageSeconds = clock.now().getTime() / 1000 - proof.iat
    const isRecent = ageSeconds >= -clockToleranceSeconds && ageSeconds <= MAX_AGE_SECONDS + clockToleranceSeconds
    const isMeant =
      thumbprint === cnf.jkt &&
      proof.htm === request.method &&
      withoutQuery(proof.htu) === addressOf(request, options.url) &&
      proof.ath === (await hashOf(token))
    if (!isRecent || !isMeant || !isFirst(`${thumbprint} ${proof.jti}`)) throw refusal()
  }
}

async function readProof(text: string) {
  try {
    const { payload, protectedHeader } = await compactVerify(text, EmbeddedJWK, { algorithms: PROOF_ALGORITHMS })
    if (protectedHeader.typ !== 'dpop+jwt' || protectedHeader.jwk === undefined) throw refusal()
    return {
      proof: proofSchema.parse(parseJson(payload)),
      thumbprint: await calculateJwkThumbprint(protectedHeader.jwk),
    }
  } catch (cause) {
    throw refusal(cause)
  }
}

/** Remembers ids for at least so many seconds; two sets take turns, so that none is looked through. */
function createReplayWindow(clock: VerifierClock, seconds: number): (id: string) => boolean {
  let [current, previous] = [new Set<string>(), new Set<string>()]
  let begunAtMs = clock.elapsedMs()
  return (id) => {
    const turns = (clock.elapsedMs() - begunAtMs) / (seconds * 1000)
    if (turns >= 1) {
      previous = turns >= 2 ? new Set() : current
      current = new Set()
      begunAtMs = clock.elapsedMs()
    }
    if (current.has(id) || previous.has(id)) return false
    current.add(id)
    return true
  }
}

/** The address of a request as its client knows it, without the query. */
function addressOf({ originalUrl, url }: ShownRequest, base: string): string | null {
  return withoutQuery(`${base}${(originalUrl ?? url ?? '').split('?', 1)[0] ?? ''}`)
}

function withoutQuery(address: string): string | null {
  if (!URL.canParse(address)) return null
  const url = new URL(address)
  return `${url.origin}${url.pathname}`
}

async function hashOf(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return base64url.encode(new Uint8Array(bytes))
}

function refusal(cause?: unknown): VerificationError {
  return new VerificationError('token_invalid', { isProofRefused: true, cause })
}
