import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { formatJson } from '../scripts/generated-files.js'
import { generatePostman } from '../scripts/postman/collection.js'
import { readDocument } from '../scripts/postman/document.js'
import { stepsIn } from '../scripts/postman/step.js'
import { tour } from '../scripts/postman/tour.js'
import { refusals, unprovoked } from '../scripts/postman/tour/refusals.js'
import { problemCodes } from '../src/wire/problem-codes.js'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const collectionFile = read('postman/sallyport.postman_collection.json')
const document: unknown = JSON.parse(read('docs/openapi.json'))

const itemSchema = z.object({
  id: z.string(),
  response: z.array(z.object({ id: z.string(), code: z.number(), body: z.string() })),
})
const folderSchema = z.object({
  id: z.string(),
  get item(): z.ZodArray<z.ZodUnion<[typeof itemSchema, typeof folderSchema]>> {
    return z.array(z.union([itemSchema, folderSchema]))
  },
})
type Entry = z.infer<typeof itemSchema> | z.infer<typeof folderSchema>

const { item: folders } = z.object({ item: z.array(folderSchema) }).parse(JSON.parse(collectionFile))
const items = folders.flatMap(itemsIn)
const steps = tour.flatMap(stepsIn)

function itemsIn(entry: Entry): z.infer<typeof itemSchema>[] {
  return 'item' in entry ? entry.item.flatMap(itemsIn) : [entry]
}

function idsIn(entry: Entry): string[] {
  const inner = 'item' in entry ? entry.item.flatMap(idsIn) : entry.response.map(({ id }) => id)
  return [entry.id, ...inner]
}

t.test('the collection and the environment are up to date: npm run postman', async (t) => {
  const { collection, environment } = await generatePostman(document)
  t.ok((await formatJson(collection)) === collectionFile)
  t.ok((await formatJson(environment)) === read('postman/sallyport.postman_environment.json'))
})

t.test('every operation is in the tour, with each documented response', async (t) => {
  t.equal(items.length, steps.length)
  const bodyOf = (example: unknown) => (typeof example === 'string' ? example : JSON.stringify(example, null, 2))
  for (const { id, answers } of readDocument(document).operations.values()) {
    const first = items[steps.findIndex(({ operation }) => operation === id)]
    t.ok(first, `${id} is in scripts/postman/tour`)
    t.strictSame(
      first?.response.map(({ code, body }) => ({ code, body })),
      answers.map(({ status, example }) => ({ code: status, body: example === null ? '' : bodyOf(example) })),
      `${id} shows its responses`,
    )
  }
})

t.test('every problem code is provoked in "Problems", or its cause is described there', async (t) => {
  const provoked = new Set<number | string>(stepsIn(refusals).map(({ answers }) => answers))
  for (const code of Object.keys(problemCodes)) {
    t.not(provoked.has(code), Object.hasOwn(unprovoked, code), code)
  }
})

t.test('every folder, request and saved response has a unique id', async (t) => {
  const ids = folders.flatMap(idsIn)
  t.ok(ids.length > 300)
  t.equal(new Set(ids).size, ids.length)
})
