import type { SecretKeys } from '../platform/crypto/secret-keys.js'
import type { Database } from '../platform/database/database.js'
import type { AddressRules } from '../features/address-rules/address-rules.js'
import type { Audit, AuditEvents } from '../features/audit/audit.js'
import type { Families } from '../features/families/families.js'
import type { Revocations } from '../features/revocation/revocation.js'
import type { SigningKeys } from '../features/tokens/tokens.js'
import type { Administration } from '../features/administration/administration.js'

/** What the commands act on. */
export interface Operator {
  database: Database
  audit: Audit<AuditEvents>
  keys: SigningKeys
  revocations: Revocations
  families: Families
  administration: Administration
  addressRules: AddressRules
  secrets: SecretKeys
}

/** A command that cannot be done, told to the operator as it is. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** What is left to be done once the command line has been read: answers the lines to be printed. */
export type Command = (operator: Operator) => Promise<string[]>

/** Reads a command's arguments; throws CommandError for what it does not know. */
export type CommandReader = (args: string[]) => Command
