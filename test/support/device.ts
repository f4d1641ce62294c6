// A device without a keyboard, and the browser of its user (RFC 8628).

import * as client from 'openid-client'
import { signInOn, type Party, type Provider } from './relying-party.js'
import { createWebBrowser, type WebBrowser, type WebPage } from './web-browser.js'

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A television, which is a public client, and not first-party. */
export const television = {
  client_name: 'Television',
  redirect_uris: [],
  grant_types: [DEVICE_CODE, 'refresh_token'],
  token_endpoint_auth_method: 'none',
  first_party: false,
}

/** A poll, as a device without a library sends it. */
export async function poll({ issuer }: Provider, { clientId }: Party, deviceCode: string) {
  const fields = { grant_type: DEVICE_CODE, device_code: deviceCode, client_id: clientId }
  const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', body: new URLSearchParams(fields) })
  return { status: response.status, body: (await response.json()) as Record<string, string | undefined> }
}

export const beginAt = (party: Party, scope = 'openid email') =>
  client.initiateDeviceAuthorization(party.config, { scope })

export interface DeviceUser {
  email: string
  password: string
  /** The code of the second factor. */
  code?: () => string
}

/** A browser that does nothing by itself. */
export const openDeviceBrowser = ({ issuer }: Provider): WebBrowser => createWebBrowser(issuer, () => null)

/** Opens an address, and signs in on the way where that is asked for. */
export async function openSignedIn(browser: WebBrowser, user: DeviceUser, address: string): Promise<WebPage> {
  let page = await browser.open(address)
  for (let next = actOn(page, user); next !== null; next = actOn(page, user)) page = await next
  return page
}

function actOn(page: WebPage, user: DeviceUser): Promise<WebPage> | null {
  const { pathname } = new URL(page.url)
  if (pathname === '/mfa' && user.code !== undefined) return page.submit('/mfa', { code: user.code() })
  return pathname === '/device' ? null : signInOn(page, user)
}

/** Signs in, enters the code of a device, and decides: the last page. */
export async function decide(
  browser: WebBrowser,
  user: DeviceUser,
  { user_code: userCode }: { user_code: string },
  decision: 'confirm' | 'abort' = 'confirm',
): Promise<WebPage> {
  const form = await openSignedIn(browser, user, '/device')
  const shown = await form.submit('/device', { user_code: userCode })
  return shown.submit('/device', { [decision]: 'yes' })
}
