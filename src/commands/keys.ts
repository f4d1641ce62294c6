import { CommandError, type CommandReader } from './command.js'
import { readOptions } from './options.js'

export const keyCommands: Record<string, CommandReader> = {
  'keys:rotate'(args) {
    const { force = false } = readOptions(args, { force: { type: 'boolean' } })
    return async ({ keys }) => {
      const rotation = await keys.rotate({ force })
      if (rotation.outcome === 'too_soon') {
        throw new CommandError(
          'The next key was published less than a day ago, so verifiers that cache the key set may not have it yet. ' +
            'Wait, or use --force if all verifiers reload the key set on an unknown key id.',
        )
      }
      return [
        `Access tokens are now signed with key ${rotation.kid}.`,
        'Other instances switch within a minute. No user is logged out.',
      ]
    }
  },

  'keys:revoke'(args) {
    const { kid, all = false } = readOptions(args, { kid: { type: 'string' }, all: { type: 'boolean' } })
    if ((kid === undefined) === !all) throw new CommandError('Use either --kid with the id of one key, or --all.')
    return async ({ revocations }) => {
      const kids = await revocations.withdrawKeys(kid === undefined ? 'all' : { kid })
      return [
        ...kids.map((withdrawn) => `Permanently revoked key ${withdrawn}.`),
        'Access tokens signed with these keys are refused everywhere within a second. Clients refresh; no user is logged out.',
      ]
    }
  },

  'secrets:rotate'(args) {
    readOptions(args, {})
    return async ({ keys, families, factors, secrets }) => {
      const resealed = await keys.reseal()
      const totps = await factors.reseal()
      const live = await families.countBySecret()
      const outdated = [...live].filter(([id]) => id !== secrets.current.id)
      return [
        `${resealed} signing keys are encrypted with the first secret in SECRET_KEY (id ${secrets.current.id}).`,
        `${totps} secrets of authenticator apps are encrypted with it, too.`,
        ...[...live].map(
          ([id, count]) => `${count} active sessions have a refresh token under the secret with id ${id}.`,
        ),
        outdated.length === 0
          ? 'The other secrets are no longer needed and can be removed from SECRET_KEY.'
          : 'Keep the other secrets until these sessions have refreshed or ended, then run this command again.',
      ]
    }
  },
}
