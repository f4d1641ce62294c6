import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'

export function createApp({ issuer, url, clientId, clientSecret, secret }) {
  passport.use(
    new OpenIDConnectStrategy(
      {
        issuer,
        authorizationURL: `${issuer}/oauth/authorize`,
        tokenURL: `${issuer}/oauth/token`,
        userInfoURL: `${issuer}/oauth/userinfo`,
        clientID: clientId,
        clientSecret,
        callbackURL: `${url}/callback`,
        scope: 'profile email',
        nonce: true,
      },
      (_issuer, profile, done) => done(null, profile),
    ),
  )
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((user, done) => done(null, user))

  const app = express()
  app.use(session({ secret, resave: false, saveUninitialized: false }))
  app.use(passport.session())
  app.get('/login', passport.authenticate('openidconnect'))
  app.get('/callback', passport.authenticate('openidconnect', { failWithError: true, successRedirect: '/' }))
  app.get('/', ({ user }, response) => {
    response.type('text').send(user ? `${user.displayName} <${user.emails[0].value}>` : 'Not signed in')
  })
  return app
}
