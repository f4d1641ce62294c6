// A single-page application on react-oidc-context, as its documentation has it. The settings come from the page's address.

import { createElement as h } from 'react'
import { createRoot } from 'react-dom/client'
import { AuthProvider, useAuth } from 'react-oidc-context'

const { authority, clientId } = document.body.dataset
const here = `${location.origin}/`

const settings = {
  authority,
  client_id: clientId,
  redirect_uri: here,
  post_logout_redirect_uri: here,
  scope: 'openid profile email',
  loadUserInfo: true,
  automaticSilentRenew: false,
  onSigninCallback: () => history.replaceState({}, '', '/'),
}

function App() {
  const auth = useAuth()
  if (auth.error) return h('p', { role: 'alert' }, auth.error.message)
  if (auth.isLoading) return h('p', null, 'Loading')
  if (!auth.isAuthenticated) return h('button', { onClick: () => auth.signinRedirect() }, 'Log in')
  const { profile, access_token: accessToken, refresh_token: refreshToken } = auth.user
  return h('main', null, [
    h('p', { key: 'who' }, `${profile.name} <${profile.email}> in ${profile.sid}`),
    h('output', { key: 'tokens' }, JSON.stringify({ accessToken, refreshToken })),
    h('button', { key: 'renew', onClick: () => auth.signinSilent() }, 'Renew'),
    h('button', { key: 'out', onClick: () => auth.signoutRedirect() }, 'Log out'),
  ])
}

createRoot(document.getElementById('app')).render(h(AuthProvider, settings, h(App)))
