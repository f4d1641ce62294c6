import t from 'tap'
import { authenticationOf } from '../../../src/features/sign-in/proof.js'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000)

t.test('auth_time is that of the last proof, and amr contains each method once', async (t) => {
  t.strictSame(authenticationOf([{ method: 'pwd', at: at(0) }]), { amr: ['pwd'], authenticatedAt: at(0) })
  const several = [1, 3, 2].map((seconds) => ({ method: 'pwd' as const, at: at(seconds) }))
  t.strictSame(authenticationOf([{ method: 'pwd', at: at(0) }, ...several]), { amr: ['pwd'], authenticatedAt: at(3) })
})
