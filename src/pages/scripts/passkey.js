// Passkeys: shows the forms that need this script, and sends what the browser's authenticator returns. On the sign-in page,
// browsers offer passkeys in the field of the address too (conditional UI).

import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser'

// The challenge in the options is valid for five minutes.
const OPTIONS_MS = 4 * 60 * 1000

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential)
  // Without the event, so that the handler below is not asked again.
  HTMLFormElement.prototype.submit.call(form)
}

async function ask(form) {
  const start = form.dataset.passkey === 'create' ? startRegistration : startAuthentication
  const failed = form.querySelector('[data-failed]')
  failed.hidden = true
  try {
    send(form, await start({ optionsJSON: JSON.parse(form.dataset.options) }))
  } catch {
    // Dismissed, timed out, or there is no passkey here: browsers do not tell which.
    failed.hidden = false
    void offer(form)
  }
}

/** Offers passkeys in the field of the address, where the form wants that and the browser can. */
async function offer(form) {
  if (form.dataset.renewAt === undefined || !(await browserSupportsWebAuthnAutofill())) return
  try {
    const optionsJSON = JSON.parse(form.dataset.options)
    send(form, await startAuthentication({ optionsJSON, useBrowserAutofill: true }))
  } catch {
    // It was aborted by a click on the button, or by newer options.
  }
}

async function renew(form) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(form.dataset.renewAt, { method: 'POST', headers, body: '{}' })
  if (!response.ok) return
  const { options } = await response.json()
  form.dataset.options = JSON.stringify(options)
  void offer(form)
}

for (const form of browserSupportsWebAuthn() ? document.querySelectorAll('form[data-passkey]') : []) {
  form.hidden = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void ask(form)
  })
  void offer(form)
  if (form.dataset.renewAt !== undefined) setInterval(() => void renew(form).catch(() => undefined), OPTIONS_MS)
}
