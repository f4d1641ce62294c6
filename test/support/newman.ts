// Runs the Postman collection of the repository, as `npm run postman:run` does.

import type { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { loadPackage } from '../../scripts/postman/packages.js'

const collection = fileURLToPath(new URL('../../postman/sallyport.postman_collection.json', import.meta.url))
const environment = fileURLToPath(new URL('../../postman/sallyport.postman_environment.json', import.meta.url))

/** newman has no types. The part of its result that is used is parsed below. */
interface Newman {
  run(options: Record<string, unknown>, callback: (error: Error | null, summary: unknown) => void): EventEmitter
}

export interface CollectionRun {
  /** The failures that newman counts: assertions, scripts, and requests without a response. */
  failures: string[]
  /** The names of the requests whose responses were checked, in order. */
  tested: string[]
  /** The requests that a script has skipped, and why. */
  skipped: { name: string; reason: string }[]
}

const itemSchema = z.object({ name: z.string() })

const assertionSchema = z.object({ item: itemSchema, assertion: z.string(), skipped: z.boolean() })

const summarySchema = z.object({
  run: z.object({
    failures: z.array(z.object({ source: itemSchema.optional(), error: z.object({ message: z.string() }) })),
  }),
})

/** The variables replace those of the environment. Without a folder, all requests are sent. */
export async function runCollection(variables: Record<string, string>, folder?: string): Promise<CollectionRun> {
  const newman = loadPackage<Newman>('newman')
  const tested = new Set<string>()
  const skipped: CollectionRun['skipped'] = []
  const summary = await new Promise<unknown>((resolve, reject) => {
    const options = {
      collection,
      environment,
      envVar: Object.entries(variables).map(([key, value]) => ({ key, value })),
      ...(folder !== undefined && { folder }),
    }
    const run = newman.run(options, (error, result) => (error ? reject(error) : resolve(result)))
    run.on('assertion', (_error, made: unknown) => {
      const { item, assertion, skipped: isSkipped } = assertionSchema.parse(made)
      if (isSkipped) skipped.push({ name: item.name, reason: assertion })
      else tested.add(item.name)
    })
  })
  const { failures } = summarySchema.parse(summary).run
  return {
    failures: failures.map(({ source, error }) => `${source?.name ?? 'The run'}: ${error.message}`),
    tested: [...tested],
    skipped,
  }
}
