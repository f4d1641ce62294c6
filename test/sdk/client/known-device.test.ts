import t from 'tap'
import { createMemoryStore, type KeyStore } from '../../../src/sdk/client/client.js'
import { codeOf, startDeviceApp } from '../../support/sdk-client.js'

t.test('PWD-13: a device that was logged out is still known when attackers guess the password', async (t) => {
  const app = await startDeviceApp(t)
  const { account, client, restart } = await app.signUp()
  await client.logout()
  const body = { email: account.email, password: 'a password of no account at all' }
  for (let failures = 0; failures < 10; failures += 1) await app.api.login(body, { from: `192.0.2.${failures}` })

  t.equal(await codeOf(app.device().client.login(account)), 'rate_limited', 'another device is limited')
  t.match(await restart().login(account), { status: 'signed_in' })
})

t.test('a store that cannot save the device token does not prevent a sign-in', async (t) => {
  const app = await startDeviceApp(t)
  const inside = createMemoryStore()
  const orFail = <T>(key: string, work: () => Promise<T>) =>
    key.endsWith('.device') ? Promise.reject(new Error('The disk is full.')) : work()
  const storage: KeyStore = {
    get: (key) => orFail(key, () => inside.get(key)),
    set: (key, value) => orFail(key, () => inside.set(key, value)),
    delete: (key) => orFail(key, () => inside.delete(key)),
  }
  const { account } = await app.signUp()
  t.match(await app.device({ storage }).client.login(account), { status: 'signed_in' })
})
