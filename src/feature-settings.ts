import type { Config } from './config.js'

/** The settings of the pages, as they take them. */
export function pageSettings({
  environment,
  docs,
  server,
  cookies,
  registration,
  passwords,
  pages,
  app,
  mail,
  factors,
  social,
}: Config) {
  return {
    ...{ docs, registration },
    isDevelopment: environment !== 'production',
    publicUrl: server.publicUrl,
    cookiePrefix: cookies.prefix,
    minLength: passwords.minLength,
    canTrust: factors.trustSeconds > 0,
    socialSignUp: social.signUp,
    returnTo: pages.returnTo,
    themeDir: pages.themeDir,
    appName: app.name,
    supportUrl: app.supportUrl,
    locales: mail.locales,
  }
}

/** The settings of the OpenID provider. */
export function providerSettings({ oauth, server, tokens, cookies, sessions }: Config) {
  return {
    issuer: tokens.issuer,
    publicUrl: server.publicUrl,
    cookiePrefix: cookies.prefix,
    consentSeconds: oauth.consentSeconds,
    dpop: oauth.dpop,
    sessionSeconds: sessions.lifetimes.session.maxTtlSeconds,
    accessTokenSeconds: tokens.accessTokenTtlSeconds,
  }
}

/** The settings of the families, by mode. Those of OAuth clients live as long as those of apps. */
export function familySettings({ sessions }: Config) {
  const { cookie, json, session } = sessions.lifetimes
  return {
    idleSeconds: {
      ...{ cookie: cookie.idleTtlSeconds, json: json.idleTtlSeconds, session: session.idleTtlSeconds },
      client: json.idleTtlSeconds,
    },
    maxSeconds: {
      ...{ cookie: cookie.maxTtlSeconds, json: json.maxTtlSeconds, session: session.maxTtlSeconds },
      client: json.maxTtlSeconds,
    },
    graceSeconds: sessions.refreshGraceSeconds,
    maxSessionsPerUser: sessions.maxPerUser,
  }
}
