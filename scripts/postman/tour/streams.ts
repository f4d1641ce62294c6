import type { Folder } from '../step.js'

export const streams: Folder = {
  name: '8. Streams',
  about:
    'Server-sent events. These requests do not end, so a run skips them. Set the environment variable ' +
    '`follow_streams` to `yes`, send one of them, then send other requests and watch. "Cancel" ends it.',
  needs: {
    variable: 'follow_streams',
    reason: 'is skipped in a run because it does not end: set follow_streams to yes and send it separately',
  },
  steps: [
    {
      name: 'Stream session events',
      operation: 'followEvents',
      about: 'Send "Log out" in folder 14: the stream reports it and ends.',
      answers: 200,
      checks: { 'it reports the end of the session': `pm.expect(pm.response.text()).to.include('event: session.ended')` },
    },
    {
      name: 'Stream revocations',
      operation: 'followRevocations',
      about: 'Requires `verifier_credential`, like folder 7. A beat is sent every second.',
      answers: 200,
      checks: { 'it beats': `pm.expect(pm.response.text()).to.include('event: beat')` },
    },
  ],
}
