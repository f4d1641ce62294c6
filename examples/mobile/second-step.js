// What a sign-in may wait for: the code of a mail, or a second factor. Each command is a start of the app, so what it
// needs of the previous one is in the key store.
import { addTotp, confirmTotp, secondStep, signInWithFactor } from '@sallyport/client/factors'
import { forgotPassword, pendingFlow, resetPassword } from '@sallyport/client/mail'
import { readPassword } from './password.js'

/** Commands of a user who is not signed in. */
export function signInSteps(client) {
  return {
    async forgot(email) {
      const { to } = await forgotPassword(client, { email })
      console.log(`If we know that address, a mail with a code is on its way to ${to}.`)
    },
    async reset(code) {
      await resetPassword(client, { code, new_password: await readPassword() })
      console.log('Your password is changed. Sign in with it.')
    },
    async code(code) {
      const { user } = await signInWithFactor(client, { code })
      console.log(`Welcome back, ${user.email}.`)
    },
    async recover(code) {
      const { user } = await signInWithFactor(client, { recovery_code: code })
      console.log(`Welcome back, ${user.email}. That recovery code is used up.`)
    },
  }
}

/** Commands of a signed-in user. */
export function factorCommands(client) {
  return {
    async totp() {
      const { id, uri } = await addTotp(client)
      console.log(`Add this to your authenticator app: ${uri}\nThen confirm ${id} with the code that it shows.`)
    },
    async confirm(id, code) {
      const recoveryCodes = (await confirmTotp(client, id, { code })) ?? []
      console.log(['The authenticator app is added. Your recovery codes:', ...recoveryCodes].join('\n  '))
    },
  }
}

/** What the app asks for at its start, also if it was killed since the request; null if it is nothing. */
export async function describeWaiting(client) {
  const step = await secondStep(client)
  if (step !== null) return `Type a code of your second factor: ${step.methods.join(', ')}.`
  const flow = await pendingFlow(client)
  return flow && `Type the code from the mail to ${flow.to}.`
}
