import t from 'tap'
import { readLink } from '../../../src/sdk/client/mail.js'

const token = `spl_${'Aa0-_'.repeat(12)}`

t.test('the link of a mail is read in each form in which it may arrive', async (t) => {
  const addresses = [
    `https://auth.example.com/link/otp?token=${token}`,
    `https://auth.example.com/link/otp/?token=${token}`,
    `https://app.example.com/link/otp#token=${token}`,
    `https://app.example.com/link/otp%23token=${token}`,
    `https://app.example.com/link/otp?utm_source=mail&token=${token}`,
    `https://app.example.com/link/otp?token=${token}#top`,
    `myapp://link/otp?token=${token}`,
  ]
  for (const address of addresses) t.strictSame(readLink(address), { page: 'otp', token }, address)
})

t.test('other addresses are not links', async (t) => {
  const addresses = [
    'https://app.example.com/',
    'https://app.example.com/link/otp',
    `https://app.example.com/link/other?token=${token}`,
    `https://app.example.com/link/constructor?token=${token}`,
    'https://app.example.com/link/otp?token=spf_abc',
    `https://app.example.com/link/otp?not_token=${token}`,
    `https://app.example.com/?next=/link/otp&token=${token}`,
    `https://app.example.com/search?q=%2Flink%2Fotp%23token=${token}`,
  ]
  for (const address of addresses) t.equal(readLink(address), null, address)
})
