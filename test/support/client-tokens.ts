// Access tokens of registered clients, and the commands that register them.

import { runCommand } from '../../src/commands/commands.js'
import { buildToken } from './access-token-vectors.js'
import type { TestApp } from './app.js'
import { readSigningKey } from './signing-keys.js'

/** A genuine access token: by default of a user, for Sallyport's own sign-in. */
export async function issueToken(app: TestApp, claims: Record<string, unknown>): Promise<string> {
  const { issuer, audience } = app.config.tokens
  const setting = { ...(await readSigningKey(app)), issuer, audience, trap: '', now: app.clock.now() }
  return buildToken({ claims }, setting)
}

/** The claims in which a client's own token differs from a user's. */
export function ownClaims(clientId: string, epoch: number): Record<string, unknown> {
  return {
    ...{ sub: clientId, client_id: clientId, client_epoch: epoch },
    ...{ sid: '$absent', epoch: '$absent', auth_time: '$absent', amr: '$absent' },
  }
}

/** Registers a client with the operator's command, and returns its secret. */
export async function registerClient({ app }: TestApp, clientId: string, ...options: string[]): Promise<string> {
  const args = ['--client-id', clientId, '--client-name', clientId, ...options]
  return secretIn(await runCommand(app.operator, 'client:create', args))
}

/** Adds a secret to a client. */
export async function addSecret({ app }: TestApp, clientId: string): Promise<string> {
  return secretIn(await runCommand(app.operator, 'client:rotate-secret', ['--client-id', clientId]))
}

function secretIn(lines: string[]): string {
  return /spc_[\w-]{43}/.exec(lines.join('\n'))?.[0] ?? ''
}
