import type { Folder } from '../step.js'

export const streams: Folder = {
  name: '8. Streams',
  about:
    'Server-sent events. These requests do not end by themselves, so a run skips them. Set the variable ' +
    '`follow_streams` to `yes` in the environment, send one and watch; then send others beside it. "Cancel" ends it.',
  needs: {
    variable: 'follow_streams',
    reason: 'is left out of a run, because it does not end: set follow_streams to yes, and send it alone',
  },
  steps: [
    {
      name: 'What happens to my session',
      operation: 'followEvents',
      about: 'Send "Log out" of folder 10 beside it: the stream says so, and ends.',
      answers: 200,
      checks: { 'it tells the end of the session': `pm.expect(pm.response.text()).to.include('event: session.ended')` },
    },
    {
      name: 'What is revoked, as it happens',
      operation: 'followRevocations',
      about: 'Needs `verifier_credential`, as folder 7 does. A beat comes once a second.',
      answers: 200,
      checks: { 'it beats': `pm.expect(pm.response.text()).to.include('event: beat')` },
    },
  ],
}
