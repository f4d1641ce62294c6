// The development inbox of a Sallyport process, as end-to-end tests of applications read it.

import { z } from 'zod'
import { until } from './until.js'

const mailsSchema = z.object({
  mails: z.array(
    z.object({ id: z.string(), kind: z.string(), code: z.string().optional(), link: z.string().optional() }),
  ),
})

export type ArrivedMail = z.output<typeof mailsSchema>['mails'][number]

/** Waits for the newest mail of a kind to an address, other than those that were read before. */
export async function readMail(
  url: string,
  to: string,
  kind: string,
  read: readonly string[] = [],
): Promise<ArrivedMail> {
  let arrived: ArrivedMail | undefined
  await until(async () => {
    const answer = await fetch(`${url}/dev/inbox.json?to=${encodeURIComponent(to)}`)
    const { mails } = mailsSchema.parse(await answer.json())
    arrived = mails.find((mail) => mail.kind === kind && !read.includes(mail.id))
    return arrived !== undefined
  })
  if (arrived === undefined) throw new Error(`No mail of kind ${kind} has arrived.`)
  return arrived
}
