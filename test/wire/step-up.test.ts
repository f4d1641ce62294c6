import t from 'tap'
import { demandMembers, demandParameters, meetsDemand } from '../../src/wire/step-up.js'
import { stepUpNow, stepUpVectors } from '../support/step-up-vectors.js'

t.test('TOK-17: claims meet a demand as the vectors say', async (t) => {
  t.ok(stepUpVectors.length > 10)
  for (const { name, claims, require, meets } of stepUpVectors) {
    const demand = { acr: require.acr, maxAgeSeconds: require.max_age }
    t.equal(meetsDemand(claims, demand, { now: stepUpNow }), meets, name)
  }
})

t.test('a tolerance adds to the age, and to nothing else', async (t) => {
  const now = new Date(1_000_000)
  const meets = (authTime: number, acr = 'aal2') =>
    meetsDemand({ auth_time: authTime, acr }, { acr: 'aal2', maxAgeSeconds: 60 }, { now, toleranceSeconds: 30 })
  t.ok(meets(910))
  t.notOk(meets(909))
  t.notOk(meets(1000, 'aal1'))
})

t.test('RFC 9470, 3: a demand in a problem and in a challenge', async (t) => {
  t.strictSame(demandMembers({}), {})
  t.strictSame(demandParameters({}), {})
  t.strictSame(demandMembers({ acr: 'phr', maxAgeSeconds: 60 }), { acr_values: ['phr'], max_age: 60 })
  t.strictSame(demandParameters({ acr: 'phr', maxAgeSeconds: 60 }), { acr_values: 'phr', max_age: '60' })
})
