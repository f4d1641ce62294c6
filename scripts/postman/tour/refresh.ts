import type { Folder, Step } from '../step.js'

/** The refresh of a careful client. */
export function refreshStep(name: string, about: string): Step {
  return {
    name,
    operation: 'refresh',
    about,
    before: `
      // One key for one attempt: it stays until the answer is there, so that sending again after a lost answer is the
      // same attempt.
      if (!pm.collectionVariables.get('attempt_key')) {
        pm.collectionVariables.set('attempt_key', pm.variables.replaceIn('{{$guid}}'))
      }

      // For "The answer was lost". A client would forget both.
      pm.collectionVariables.set('spent_refresh_token', pm.collectionVariables.get('refresh_token'))
      pm.collectionVariables.set('spent_attempt_key', pm.collectionVariables.get('attempt_key'))
    `,
    send: {
      bearer: null,
      headers: { 'Idempotency-Key': '{{attempt_key}}' },
      body: { refresh_token: '{{refresh_token}}' },
    },
    answers: 200,
    keeps: { access_token: 'access_token', refresh_token: 'refresh_token' },
    then: `pm.collectionVariables.unset('attempt_key')`,
    checks: {
      'the refresh token has rotated': `
        pm.expect(answer.refresh_token).to.not.equal(pm.collectionVariables.get('spent_refresh_token'))
      `,
      'the session is the same': `pm.expect(answer.session.id).to.equal(pm.collectionVariables.get('session_id'))`,
    },
  }
}

export const refresh: Folder = {
  name: '4. Refresh',
  about: 'A refresh token is used once: its answer holds the next one. A script makes the attempt key.',
  steps: [
    refreshStep(
      'Refresh',
      'New tokens for the refresh token. The `Idempotency-Key` names the attempt, for the case that its answer is lost.',
    ),
    {
      name: 'The answer was lost',
      operation: 'refresh',
      about:
        'The spent token once more, with the key of the same attempt: the same successor again, however late, until ' +
        'that is used itself. With another key it would be the request of somebody else: see "What goes wrong".',
      send: {
        bearer: null,
        headers: { 'Idempotency-Key': '{{spent_attempt_key}}' },
        body: { refresh_token: '{{spent_refresh_token}}' },
      },
      answers: 200,
      keeps: { access_token: 'access_token' },
      checks: {
        'it is the same refresh token again': `
          pm.expect(answer.refresh_token).to.equal(pm.collectionVariables.get('refresh_token'))
        `,
      },
    },
    refreshStep('Refresh again', 'The successor is used, in an attempt of its own.'),
  ],
}
