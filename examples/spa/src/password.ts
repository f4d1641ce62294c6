import type { Client } from '@sallyport/client'
import { onSubmit } from './actions.js'
import { element } from './elements.js'

/** Changes the password, which ends the other sessions. */
export function mountPassword(client: Client): void {
  const form = element('password', HTMLFormElement)
  const email = element('password-email', HTMLInputElement)

  client.onChange((state) => {
    if (state.status === 'signed_out') form.reset()
    if (state.status === 'signed_in') email.value = state.user?.email ?? ''
  })

  onSubmit(form, async (read) => {
    await client.changePassword({
      current_password: read('current_password'),
      new_password: read('new_password'),
    })
    form.reset()
    return 'The password is changed, and the other devices are logged out.'
  })
}
