import type { SecretKeys } from '../platform/crypto/secret-keys.js'
import type { Database } from '../platform/database/database.js'
import type { AddressRules } from '../features/address-rules/address-rules.js'
import type { Audit, AuditEvents } from '../features/audit/audit.js'
import type { Clients, Registration } from '../features/clients/clients.js'
import type { Factors } from '../features/factors/factors.js'
import type { Families } from '../features/families/families.js'
import type { Delivery } from '../features/mail/mail.js'
import type { Revocations } from '../features/revocation/revocation.js'
import type { SigningKeys } from '../features/tokens/tokens.js'
import type { Administration } from '../features/administration/administration.js'

/** The features that commands use. */
export interface Operator {
  database: Database
  audit: Audit<AuditEvents>
  keys: SigningKeys
  revocations: Revocations
  clients: Clients
  clientRegistration: Registration
  families: Families
  factors: Factors
  administration: Administration
  addressRules: AddressRules
  secrets: SecretKeys
  delivery: Delivery
}

/** A command that cannot be carried out. The message is for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Runs a parsed command and returns the lines to print. */
export type Command = (operator: Operator) => Promise<string[]>

/** Parses the arguments of a command; throws CommandError for unknown ones. */
export type CommandReader = (args: string[]) => Command
