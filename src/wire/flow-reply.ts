import { z } from 'zod'

/** The response to everything that sends a mail, whether or not one is sent. Members may be added, never removed. */
export type FlowReply = {
  /** ISO 8601, in UTC: until when the code and the link are good, if the mail arrives at once. */
  expires_at: string
  /** Seconds until another mail may be asked for. */
  resend_after: number
  /** The address, masked, as the request has it. */
  to: string
  flow_token?: string | undefined
}

export const flowReplySchema = z
  .object({
    expires_at: z.iso.datetime().meta({ description: 'When the code and the link expire.' }),
    resend_after: z.int().meta({ description: 'Seconds until another mail can be sent.' }),
    to: z.string().meta({ description: 'The address, masked.' }),
    flow_token: z.string().optional().meta({
      description: 'Only in mode json; otherwise it is a cookie. Send it with the code from the mail.',
    }),
  })
  .meta({
    id: 'FlowReply',
    description: 'A mail is on its way, if the address is known. The response does not tell whether it is.',
    examples: [
      { expires_at: '2026-01-01T00:10:00.000Z', resend_after: 30, to: 'a•••@example.com', flow_token: 'spf_…' },
    ],
  }) satisfies z.ZodType<FlowReply>
