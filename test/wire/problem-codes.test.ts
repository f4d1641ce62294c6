import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { problemCodes } from '../../src/wire/problem-codes.js'

const areas = new URL('../../src/wire/problems/', import.meta.url)

t.test('each problem code is in the file of one area, and each area in the index', async (t) => {
  const files = readdirSync(areas).filter((file) => file !== 'problem-table.ts')
  t.ok(files.length >= 6, 'the areas are found')
  const codes: string[] = []
  for (const file of files) {
    const source = readFileSync(new URL(file, areas), 'utf8')
    codes.push(...[...source.matchAll(/^ {2}(\w+): \{$/gm)].map(([, code = '']) => code))
  }
  // The index spreads the areas, so a code in two of them would silently have the last definition.
  t.strictSame(codes.sort(), Object.keys(problemCodes).sort())
})
