import { newClientSchema, type Client, type Clients, type NewClient } from '../features/clients/clients.js'
import { CommandError, type CommandReader } from './command.js'
import { nameOptions, parseValues, readOptions, words } from './options.js'
import { withoutControls } from './terminal.js'

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const

/** The names of RFC 7591 with hyphens, and our own. */
const newClientOptions = {
  ...{ 'client-id': text, 'client-name': text, 'first-party': flag },
  ...{ 'redirect-uris': list, 'post-logout-redirect-uris': list, 'backchannel-logout-uri': text },
  'backchannel-logout-session-required': flag,
  ...{ 'grant-types': list, 'response-types': list, scope: text, 'application-type': text },
  ...{ 'token-endpoint-auth-method': text, jwks: text, 'jwks-uri': text, 'id-token-signed-response-alg': text },
  'dpop-bound-access-tokens': flag,
  ...{ pkce: text, 'lost-answer': text, 'default-resource': text, introspect: flag },
} as const

export const clientCommands: Record<string, CommandReader> = {
  'client:create'(args) {
    const client = readNewClient(args)
    return nameOptions(async ({ clients }) => describeNew(await clients.create(client)))
  },

  'client:list'(args) {
    readOptions(args, {})
    return async ({ clients }) => {
      const all = await clients.list()
      return all.length === 0 ? ['No clients are registered.'] : all.map(describeClient)
    }
  },

  'client:rotate-secret'(args) {
    const options = readOptions(args, { 'client-id': text, 'withdraw-old': flag })
    const clientId = requireClientId(options)
    return nameOptions(({ clients }) =>
      options['withdraw-old'] ? withdrawOldSecrets(clients, clientId) : rotateSecret(clients, clientId),
    )
  },

  'client:disable'(args) {
    const clientId = requireClientId(readOptions(args, { 'client-id': text }))
    return async ({ administration }) => {
      if (!(await administration.disableClient(clientId)))
        return [`${clientId} is disabled already. Nothing was changed.`]
      return [
        `${clientId} is disabled until client:enable. It and its access tokens are refused everywhere within a second, and its sessions were ended.`,
      ]
    }
  },

  'client:enable'(args) {
    const clientId = requireClientId(readOptions(args, { 'client-id': text }))
    return async ({ clients }) => {
      const enabled = await clients.enable(clientId)
      return [enabled ? `${clientId} is accepted again.` : `${clientId} is not disabled. Nothing was changed.`]
    }
  },

  'client:remove'(args) {
    const clientId = requireClientId(readOptions(args, { 'client-id': text }))
    return async ({ administration }) => {
      await administration.removeClient(clientId)
      return [
        `${clientId} was removed. Its access tokens are refused everywhere within a second, and its sessions were ended. This cannot be undone.`,
      ]
    }
  },
}

async function rotateSecret(clients: Clients, clientId: string): Promise<string[]> {
  const secret = await clients.rotateSecret(clientId)
  return [
    `A new secret of ${clientId}. It is shown only once:`,
    `  ${secret}`,
    'The old secret is valid too, until it is withdrawn with --withdraw-old.',
  ]
}

async function withdrawOldSecrets(clients: Clients, clientId: string): Promise<string[]> {
  if (!(await clients.withdrawOldSecrets(clientId))) {
    return [`${clientId} has no old secret. Nothing was changed: add a new one first, without --withdraw-old.`]
  }
  return [
    `The old secret of ${clientId} is refused.`,
    'Access tokens from before are refused everywhere within a second: the client gets new ones with its new secret.',
  ]
}

/** Applications of people that are to stay signed in need both; RFC 7591 has only the first by default. */
const DEFAULT_GRANTS = ['authorization_code', 'refresh_token']

function readNewClient(args: string[]): NewClient {
  const options = readOptions(args, newClientOptions)
  if (options['client-name'] === undefined) {
    throw new CommandError('--client-name is required: the name by which users and operators know the client.')
  }
  const values = Object.entries(options).map(([name, value]): [string, unknown] => {
    // An address may have a comma, so each is an option of its own.
    const isListOfWords = Array.isArray(value) && !name.endsWith('uris')
    return [name.replaceAll('-', '_'), isListOfWords ? value.flatMap(words) : value]
  })
  const defaults = options['redirect-uris'] ? { grant_types: DEFAULT_GRANTS } : {}
  const jwks = options.jwks === undefined ? {} : { jwks: parseJwks(options.jwks) }
  return parseValues(newClientSchema, { ...defaults, ...Object.fromEntries(values), ...jwks })
}

function parseJwks(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new CommandError('--jwks: Must be JSON, such as {"keys": [{"kty": "EC", …}]}', { cause })
  }
}

function requireClientId(options: { 'client-id'?: string | undefined }): string {
  const { 'client-id': clientId } = options
  if (clientId === undefined) throw new CommandError('--client-id is required: client:list shows it.')
  return clientId
}

function describeNew({ client, secret }: { client: Client; secret: string | null }): string[] {
  return [
    `Created the client ${withoutControls(client.name)}. Its client_id:`,
    `  ${client.clientId}`,
    ...(secret === null
      ? [`It has no secret: its token_endpoint_auth_method is ${client.metadata.token_endpoint_auth_method}.`]
      : ['Its client_secret, which is shown only once:', `  ${secret}`]),
    ...(client.metadata.introspect ? ['A service that verifies tokens uses the secret as its credential.'] : []),
  ]
}

function describeClient(client: Client): string {
  const { clientId, name, metadata, firstParty, secrets, createdBy, createdAt, disabledAt } = client
  const parts = [
    clientId,
    JSON.stringify(name),
    metadata.grant_types.length === 0 ? 'no grants' : metadata.grant_types.join(','),
    metadata.token_endpoint_auth_method,
    ...(secrets.length > 1 ? [`${secrets.length} secrets`] : []),
    ...(firstParty ? ['first-party'] : []),
    ...(metadata.introspect ? ['introspects'] : []),
    `created ${createdAt.toISOString()}`,
    ...(createdBy === 'operator' ? [] : [`by ${createdBy}`]),
    ...(disabledAt === null ? [] : [`disabled ${disabledAt.toISOString()}`]),
  ]
  return withoutControls(parts.join('  '))
}
