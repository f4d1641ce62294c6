import { resourceSchema, type Resource } from '../features/clients/clients.js'
import { CommandError, type CommandReader } from './command.js'
import { nameOptions, parseValues, readOptions, words } from './options.js'
import { withoutControls } from './terminal.js'

export const resourceCommands: Record<string, CommandReader> = {
  'resource:create'(args) {
    const options = readOptions(args, {
      identifier: { type: 'string' },
      name: { type: 'string' },
      scopes: { type: 'string', multiple: true },
      'access-ttl': { type: 'string' },
      alg: { type: 'string' },
    })
    const resource = parseValues(resourceSchema, {
      identifier: requireIdentifier(options),
      name: options.name,
      scopes: options.scopes?.flatMap(words),
      access_ttl: options['access-ttl'] === undefined ? undefined : Number(options['access-ttl']),
      alg: options.alg,
    })
    return nameOptions(async ({ clients }) => {
      await clients.resources.create(resource)
      return [`Created the resource ${resource.identifier}.`, 'It is known on all instances within a second.']
    })
  },

  'resource:list'(args) {
    readOptions(args, {})
    return async ({ clients }) => {
      const resources = await clients.resources.list()
      return resources.length === 0 ? ['No resources are known.'] : resources.map(describeResource)
    }
  },

  'resource:remove'(args) {
    const identifier = requireIdentifier(readOptions(args, { identifier: { type: 'string' } }))
    return nameOptions(async ({ clients }) => {
      await clients.resources.remove(identifier)
      return [`${withoutControls(identifier)} was removed. Access tokens for it are valid until they expire.`]
    })
  },
}

function requireIdentifier({ identifier }: { identifier?: string | undefined }): string {
  if (identifier !== undefined) return identifier
  throw new CommandError('--identifier is required: the URI of the service, such as https://orders.example.com.')
}

function describeResource({ identifier, name, scopes, accessTtlSeconds, alg }: Resource): string {
  const parts = [
    identifier,
    ...(name === null ? [] : [JSON.stringify(name)]),
    scopes.length === 0 ? 'no scopes' : scopes.join(','),
    ...(accessTtlSeconds === null ? [] : [`${accessTtlSeconds} s`]),
    ...(alg === null ? [] : [alg]),
  ]
  return withoutControls(parts.join('  '))
}
