import type { Client as LibraryClient, Configuration, DeviceCode } from 'oidc-provider'
import { z } from 'zod'
import { callerOf } from '../../../platform/http/caller.js'
import { documentHostOf } from '../../clients/clients.js'
import { isOpenIdScope, parseScope } from '../scopes.js'
import { ownMetadataOf } from './client.js'
import { requireState, type ProviderContext } from './context.js'
import { leaveToPages, xsrfOf } from './own-pages.js'
import type { DeviceRequest, UserCodeFault } from './request-state.js'

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

/** For the library, an error that a user can correct is none. */
const INVALID_FORM = 422

const requested = z.object({
  scope: z.string().optional(),
  resource: z.union([z.string().transform((one) => [one]), z.array(z.string())]).optional(),
})

/** The device flow (RFC 8628), whose pages are ours: a user enters the code that a device shows, and confirms. */
export function createDeviceFlow(context: ProviderContext): DeviceFlow {
  return {
    enabled: true,
    // Without vowels there are no words, and no letter looks like another or like a digit.
    charset: 'base-20',
    mask: '****-****',

    deviceInfo: () => ({ ip: callerOf(requireState(context).request).ip }),

    userCodeInputSource(ctx, form, _out, error) {
      if (error?.name === 'AbortedError') {
        leaveToPages(context, ctx, { kind: 'device_refused' })
        return
      }
      const fault = error === undefined ? null : faultOf(error, ctx.status)
      const status = fault !== null && ctx.status === 200 ? INVALID_FORM : ctx.status
      leaveToPages(context, ctx, { kind: 'user_code', xsrf: xsrfOf(form), userCode: enteredIn(error), fault, status })
    },

    async userCodeConfirmSource(ctx, form, client, deviceInfo, userCode) {
      const { deviceCode } = ctx.oidc
      if (deviceCode === undefined) throw new Error('A user confirms no device code.')
      const ip = typeof deviceInfo['ip'] === 'string' ? deviceInfo['ip'] : null
      const device = { ...(await readRequest(context, client, deviceCode)), ip }
      leaveToPages(context, ctx, { kind: 'device', xsrf: xsrfOf(form), userCode, device })
    },

    successSource(ctx) {
      leaveToPages(context, ctx, { kind: 'device_approved', clientName: ctx.oidc.client?.clientName ?? '' })
    },
  }
}

/** What a device asks for, as its user is told. */
async function readRequest(
  { clients }: ProviderContext,
  client: LibraryClient,
  { params }: DeviceCode,
): Promise<Omit<DeviceRequest, 'ip'>> {
  const { allowed_scope: allowed, default_resource: byDefault } = ownMetadataOf(client)
  const { scope, resource = byDefault === undefined ? [] : [byDefault] } = requested.parse(params)
  const scopes = parseScope(scope).filter((each) => allowed === undefined || parseScope(allowed).includes(each))
  const resources = await Promise.all(resource.map((identifier) => clients.resources.find(identifier)))
  const [address] = client.redirectUris ?? []
  return {
    clientName: client.clientName ?? client.clientId,
    host: documentHostOf(client.clientId) ?? (address === undefined ? null : new URL(address).host || null),
    scopes: scopes.filter(isOpenIdScope),
    resources: resources
      .filter((found) => found !== null)
      .map(({ identifier, name, scopes: known }) => ({
        name: name ?? identifier,
        scopes: scopes.filter((each) => known.includes(each)),
      })),
  }
}

/** The library's own errors have no class that is public, but names. */
function faultOf(error: Error, status: number): UserCodeFault {
  if (status === 429) return 'limited'
  if (error.name === 'AlreadyUsedError') return 'used'
  if (error.name === 'NotFoundError' || error.name === 'ExpiredError') return 'unknown'
  return error.name === 'NoCodeError' ? 'missing' : 'failed'
}

function enteredIn(error: Error | undefined): string {
  return error !== undefined && 'userCode' in error && typeof error.userCode === 'string' ? error.userCode : ''
}
