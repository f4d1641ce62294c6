import type { Client } from '@sallyport/client'
import { changeEmail } from '@sallyport/client/mail'
import { onSubmit, reportFailure } from './actions.js'
import { element, within } from './elements.js'

/** The signed-in user: their name, their language, and a change of their address, which a mail confirms. */
export function mountProfile(client: Client, showMailCode: () => Promise<void>): void {
  const email = element('profile-email', HTMLElement)
  const roles = element('profile-roles', HTMLElement)
  const since = element('profile-since', HTMLElement)
  const name = element('profile-name', HTMLInputElement)
  const locale = element('profile-locale', HTMLSelectElement)
  const form = element('profile', HTMLFormElement)
  const outcome = within(form, '.outcome', HTMLElement)
  const change = element('email-change', HTMLFormElement)
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
    if (known === shown) return
    shown = known
    name.value = user.name ?? ''
    // Tokens do not tell the language. Until it is known, saving the name must not change it.
    locale.disabled = true
    const loading = client.me().then((me) => {
      locale.value = me.locale ?? ''
      locale.disabled = false
    })
    reportFailure(client, outcome, loading)
  })

  onSubmit(form, async (read) => {
    const language = locale.disabled ? {} : { locale: locale.value || null }
    await client.updateMe({ name: read('name').trim() || null, ...language })
    return 'Saved.'
  })

  onSubmit(change, async (read) => {
    await changeEmail(client, { email: read('email') })
    change.reset()
    await showMailCode()
    return null
  })
}
