// Signing in with other providers: by the browser of the platform, which comes back with a link into the app, and by an ID
// token that the app got from a library of the platform. Each command is a start of the app.
import { finishProviderSignIn, providers, signInWithIdToken, signInWithProvider } from '@sallyport/client/social'

/** Registered with the platform, and listed in RETURN_TO. */
const APP_LINK = 'com.example.app:/signed-in'

/** Commands of a user who is not signed in. */
export function providerSignIns(client, deviceName) {
  return {
    async providers() {
      for (const { id, name } of await providers(client)) console.log(`${id}  ${name}`)
    },
    async browse(provider) {
      const address = await signInWithProvider(client, provider, { return_to: APP_LINK, device_name: deviceName })
      console.log(`Open this in a browser: ${address}`)
    },
    /** With the link by which the platform opens the app again. */
    async opened(link) {
      report(await finishProviderSignIn(client, link))
    },
    async token(provider, idToken) {
      report(await signInWithIdToken(client, provider, { id_token: idToken, device_name: deviceName }))
    },
  }
}

function report(outcome) {
  if (outcome === null) console.log('This link is not of a sign-in that was begun here.')
  else if (outcome.status === 'refused') console.log('You have not signed in there.')
  else if (outcome.status === 'check_mail') console.log(`Type the code from the mail to ${outcome.to}.`)
  else console.log(`Welcome, ${outcome.user.email}.`)
}
