import { CommandError, type CommandReader } from './command.js'
import { readOptions } from './options.js'

export const keyCommands: Record<string, CommandReader> = {
  'keys:rotate'(args) {
    const { force = false } = readOptions(args, { force: { type: 'boolean' } })
    return async ({ keys }) => {
      const rotation = await keys.rotate({ force })
      if (rotation.outcome === 'too_soon') {
        throw new CommandError(
          'The next key has been published for less than a day, so verifiers that cache the key set may not know it. ' +
            'Wait, or add --force if they reload it when they meet an unknown key.',
        )
      }
      return [
        `Access tokens are signed with the key ${rotation.kid} from now on.`,
        'Instances on the same database follow within a minute. Nobody is logged out.',
      ]
    }
  },

  'keys:revoke'(args) {
    const { kid, all = false } = readOptions(args, { kid: { type: 'string' }, all: { type: 'boolean' } })
    if ((kid === undefined) === !all) throw new CommandError('Write either --kid with the id of one key, or --all.')
    return async ({ revocations }) => {
      const kids = await revocations.withdrawKeys(kid === undefined ? 'all' : { kid })
      return [
        ...kids.map((withdrawn) => `Withdrew the key ${withdrawn}, for ever.`),
        'Access tokens that they signed are refused everywhere within a second. Clients refresh once; nobody is logged out.',
      ]
    }
  },

  'secrets:rotate'(args) {
    readOptions(args, {})
    return async ({ keys, families, secrets }) => {
      const resealed = await keys.reseal()
      const live = await families.countBySecret()
      const outdated = [...live].filter(([id]) => id !== secrets.current.id)
      return [
        `${resealed} signing keys are sealed with the first secret in SECRET_KEY (id ${secrets.current.id}).`,
        ...[...live].map(([id, count]) => `${count} live sessions have a token under the secret with id ${id}.`),
        outdated.length === 0
          ? 'No other secret is needed any more: the rest of SECRET_KEY can go.'
          : 'Keep the other secrets until their sessions have refreshed or ended, and run this again.',
      ]
    }
  },
}
