/**
 * Owns how credentials travel: the cookies of each mode, the refresh token that a request presents, the token reply, the
 * rule for requests from other sites, and what makes a device known. What the tokens are worth is judged by families.
 */
export { guardAgainstCrossSite, type CrossSiteGuard } from './cross-site.js'
export { createDeviceCookie, type DeviceCookie } from './device-cookie.js'
export { createKnownDevices, type KnownDevice, type KnownDevices } from './known-devices.js'
export { genuineCookies } from './presented.js'
export { createSessionCookies, type SessionCookies } from './session-cookies.js'
export { replyWithTokens } from './token-reply.js'
