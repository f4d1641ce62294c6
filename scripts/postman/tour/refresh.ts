import type { Folder, Step } from '../step.js'

/** The refresh of a correct client. */
export function refreshStep(name: string, about: string): Step {
  return {
    name,
    operation: 'refresh',
    about,
    before: `
      // One key per attempt: it is kept until the response has arrived, so that a retry after a lost response is the
      // same attempt.
      if (!pm.collectionVariables.get('attempt_key')) {
        pm.collectionVariables.set('attempt_key', pm.variables.replaceIn('{{$guid}}'))
      }

      // For "Retry after a lost response". A client would discard both.
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
  about: 'A refresh token can be used once; the response contains the next one. A script generates the attempt key.',
  steps: [
    refreshStep(
      'Refresh',
      'Exchanges the refresh token for new tokens. The `Idempotency-Key` identifies the attempt, so that it can be retried.',
    ),
    {
      name: 'Retry after a lost response',
      operation: 'refresh',
      about:
        'Retries with the used token and the same key: the response has the same successor, however late, until ' +
        'the successor is used. With another key it would be treated as reuse: see "Problems".',
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
    refreshStep('Refresh again', 'Uses the successor, in a new attempt.'),
  ],
}
