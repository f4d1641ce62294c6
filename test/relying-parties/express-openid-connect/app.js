import express from 'express'
import openid from 'express-openid-connect'

export function createApp({ issuer, url, clientId, clientSecret, secret }) {
  const app = express()
  const ended = new Set()

  app.use(
    openid.auth({
      issuerBaseURL: issuer,
      baseURL: url,
      clientID: clientId,
      clientSecret,
      secret,
      authRequired: false,
      // The default is the implicit flow, which Sallyport does not offer.
      authorizationParams: { response_type: 'code', scope: 'openid profile email' },
      idpLogout: true,
      // With the default hooks, the end of one session ends all sessions of the user here.
      backchannelLogout: {
        onLogin: false,
        onLogoutToken: ({ sid }) => void ended.add(sid),
        isLoggedOut: ({ oidc }) => ended.has(oidc.idTokenClaims.sid),
      },
    }),
  )

  app.get('/', ({ oidc }, response) => {
    response.type('text').send(oidc.isAuthenticated() ? `${oidc.user.name} <${oidc.user.email}>` : 'Not signed in')
  })

  app.get('/refresh', openid.requiresAuth(), async ({ oidc }, response) => {
    const { access_token: accessToken } = await oidc.accessToken.refresh()
    response.type('text').send(accessToken)
  })

  return app
}
