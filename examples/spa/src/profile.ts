import type { Client } from '@sallyport/client'
import { onSubmit } from './actions.js'
import { element } from './elements.js'

/** The signed-in user and their name. */
export function mountProfile(client: Client): void {
  const email = element('profile-email', HTMLElement)
  const roles = element('profile-roles', HTMLElement)
  const since = element('profile-since', HTMLElement)
  const name = element('profile-name', HTMLInputElement)
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' })
  let shown = ''

  client.onChange((state) => {
    if (state.status !== 'signed_in' || state.user === null) return
    const { user } = state
    email.textContent = user.email
    roles.textContent = user.roles.length === 0 ? 'none' : user.roles.join(', ')
    since.textContent = day.format(new Date(user.created_at))
    // A refresh changes nothing here, and must not overwrite input.
    const known = `${user.id} ${user.name ?? ''}`
    if (known !== shown) name.value = user.name ?? ''
    shown = known
  })

  onSubmit(element('profile', HTMLFormElement), async (read) => {
    await client.updateMe({ name: read('name').trim() || null })
    return 'Saved.'
  })
}
