import { z } from 'zod'
import { problemResponses } from '../../platform/http/problem-responses.js'
import type { AppInstance } from '../../platform/http/app-instance.js'
import type { Operations } from './operations.js'

const livenessSchema = z.object({ status: z.literal('alive') }).meta({ examples: [{ status: 'alive' }] })

const readinessSchema = z
  .object({
    status: z.literal('ready'),
    clock_skew_ms: z
      .int()
      .meta({ description: 'Milliseconds by which the system clock is behind the clock of the database.' }),
    revocation_age_ms: z
      .int()
      .meta({ description: 'Milliseconds since the revocation list was last read successfully.' }),
    mail: z.enum(['ok', 'degraded', 'off']).meta({
      description:
        '`degraded`: the mail server does not take mails from this instance at the moment; they are sent later. ' +
        '`off`: none is set.',
    }),
    warnings: z.array(z.enum(['clock_skew', 'revocation_stale'])).meta({
      description:
        '`clock_skew`: the clocks differ by more than 5 seconds. ' +
        '`revocation_stale`: the revocation list was last read more than 5 seconds ago.',
    }),
  })
  .meta({ examples: [{ status: 'ready', clock_skew_ms: 0, revocation_age_ms: 250, mail: 'ok', warnings: [] }] })

/** GET /livez and /readyz: for the supervisor that restarts the process, and for the load balancer. */
export function mountOperationsRoutes(app: AppInstance, { operations }: { operations: Operations }): void {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        summary: 'Liveness probe',
        tags: ['Operations'],
        security: [{}],
        response: { 200: livenessSchema },
      },
      config: { access: 'probe' },
    },
    () => Promise.resolve({ status: 'alive' as const }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Readiness probe',
        tags: ['Operations'],
        security: [{}],
        response: { 200: readinessSchema, ...problemResponses('database_unavailable') },
      },
      config: { access: 'probe' },
    },
    async () => {
      const { clockSkewMs, revocationAgeMs, mail, warnings } = await operations.checkReadiness()
      return {
        status: 'ready' as const,
        clock_skew_ms: clockSkewMs,
        revocation_age_ms: revocationAgeMs,
        mail,
        warnings,
      }
    },
  )
}
