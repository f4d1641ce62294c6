// Names and devices are chosen by clients, and go into mails to other people.

import t from 'tap'
import { createMailBench } from '../support/mail.js'
import { startMailServer } from '../support/mail-server.js'

const hostile = {
  html: '<script>alert(1)</script><img src=x onerror=alert(1)>"\'><a href=//evil.example>',
  header: 'Ada\r\nBcc: eve@example.com\r\n\r\nHello',
  direction: 'Ada\u202egnp.exe\u2066\u200f',
  lines: 'Ada\u2028Your account\u0085is closed\u001b[31m',
  link: 'You won! https://evil.example/prize www.evil.example evil.example/x eve@evil.example',
  template: '{{ code }}{% include "otp/en.txt" %}',
  long: 'x'.repeat(10_000),
}

for (const [name, text] of Object.entries(hostile)) {
  t.test(`a name or device with ${name} is shown as text, in one short line`, async (t) => {
    const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
    const settings = { MAIL_URL: `smtp://localhost:${server.port}?tls=off` }
    const { delivery, write } = await createMailBench({ settings })
    const kinds = ['new_sign_in', 'otp', 'register'] as const
    await write(...kinds.map((kind) => ({ kind, params: { name: text, device: text } })))
    await delivery.deliverDue()
    t.equal(server.mails.length, kinds.length)
    for (const mail of server.mails) {
      t.notOk(mail.headers.some(({ key }) => key === 'bcc'))
      t.match(mail.to, [{ address: 'ada@example.com' }])
      t.notMatch(mail.subject, /Ada|evil|script/)
      const html = String(mail.html)
      t.notMatch(html, /<script|<img|<a href=\/\/|href="[^"]*evil/)
      for (const part of [html, mail.text ?? '']) {
        t.notMatch(part, /[\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
        t.notMatch(part.replaceAll(/\r?\n/g, ''), /\p{Cc}/u)
        t.notMatch(part, /evil\.example|:\/\/evil/, 'mail programs make no link of it')
        t.notMatch(part, /x{100}/)
      }
      t.notMatch(mail.text, /^Bcc|^Your account/m)
    }
  })
}

t.test('OPS-02: the name of an attacker does not repeat the code of the recipient', async (t) => {
  const { delivery, write } = await createMailBench()
  await write({ params: { name: hostile.template } })
  await delivery.deliverDue()
  t.match(delivery.inbox?.list()[0]?.text, '{{ code }}')
})
