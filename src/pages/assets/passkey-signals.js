// Tells the browser which passkeys count, so that it stops offering one that was removed, and shows the present name (Signal
// API, WebAuthn Level 3, section 5.1.10). The page has the options of each call; a browser without the API is told nothing.

for (const { dataset } of document.querySelectorAll('[data-passkey-signals]')) {
  for (const [name, options] of Object.entries(JSON.parse(dataset.passkeySignals))) {
    // A page of another domain than that of the passkeys is refused.
    void globalThis.PublicKeyCredential?.[name]?.(options).catch(() => undefined)
  }
}
