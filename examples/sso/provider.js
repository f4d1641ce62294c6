import * as openid from 'openid-client'

/** Finds Sallyport by its discovery document, as a client with a secret. */
export function findProvider(issuer, { clientId, clientSecret }) {
  const options = {
    // Without TLS, only on the machine itself.
    execute: new URL(issuer).hostname === 'localhost' ? [openid.allowInsecureRequests] : [],
  }
  return openid.discovery(new URL(issuer), clientId, {}, openid.ClientSecretBasic(clientSecret), options)
}
