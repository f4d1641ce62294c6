import t from 'tap'
import { judgeUse } from '../../../src/features/passkeys/judging.js'

t.test('the counter of a passkey that cannot be copied rises, or is always zero', async (t) => {
  const cases = [
    // stored, shown, cannot be copied, may be copied
    [0, 0, 'accept', 'accept'],
    [0, 1, 'accept', 'accept'],
    [5, 6, 'accept', 'accept'],
    [5, 4_294_967_295, 'accept', 'accept'],
    [5, 5, 'refuse_counter', 'ignore_counter'],
    [5, 4, 'refuse_counter', 'ignore_counter'],
    [5, 0, 'refuse_counter', 'ignore_counter'],
    [1, 1, 'refuse_counter', 'ignore_counter'],
  ] as const
  for (const [stored, shown, single, several] of cases) {
    for (const backupEligible of [false, true]) {
      const verdict = judgeUse({ counter: stored, backupEligible }, { counter: shown, backupEligible })
      t.equal(verdict, backupEligible ? several : single, `${stored} → ${shown}, ${String(backupEligible)}`)
      const flipped = judgeUse({ counter: stored, backupEligible }, { counter: shown, backupEligible: !backupEligible })
      t.equal(flipped, 'refuse_backup')
    }
  }
})
