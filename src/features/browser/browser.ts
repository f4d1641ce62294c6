/**
 * Owns how credentials travel: the cookies of each mode, the refresh token that a request presents, the token reply, the
 * rule for requests from other sites, and what makes a device known. What the tokens are worth is judged by families.
 */
export {
  createDoor,
  createSessionCookies,
  genuineCookies,
  replyWithAccessToken,
  replyWithTokens,
  type CarriedCookies,
  type Door,
  type SessionCookies,
  type SignInContext,
} from './credentials.js'
export { guardAgainstCrossSite, type CrossSiteGuard } from './cross-site.js'
export { createDeviceCookie, type DeviceCookie } from './device-cookie.js'
export { createFlowCookie, type FlowCookie } from './flow-cookie.js'
export { requireRefreshRate } from './routes.js'
export { attemptHeadersSchema } from './schemas.js'
export { createKnownDevices, type KnownDevice, type KnownDevices } from './known-devices.js'
export { createSocialCookie, type SocialCookie } from './social-cookie.js'
