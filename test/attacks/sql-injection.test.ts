// Text from a client never becomes SQL: every value is a parameter, and the linter refuses other forms.

import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'
import t from 'tap'

const store = fileURLToPath(new URL('../../src/features/accounts/store.ts', import.meta.url))

/** The lint results for a store that contains this statement. */
async function lint(statement: string): Promise<string[]> {
  const eslint = new ESLint({ cwd: fileURLToPath(new URL('../..', import.meta.url)) })
  const code = `import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
export const work = (client: Queries, email: string) => ${statement}
`
  const [result] = await eslint.lintText(code, { filePath: store })
  return (result?.messages ?? [])
    .filter(({ ruleId }) => ruleId === 'no-restricted-syntax')
    .map(({ message }) => message)
}

const refusal = [/every value is a parameter/]

t.test('HTTP-07: the linter refuses every way to build SQL from text', async (t) => {
  const unsafe = {
    'a raw query': '[Prisma.sql``, client.$queryRawUnsafe(`SELECT ${email}`)]',
    'a raw statement': '[Prisma.sql``, client.$executeRawUnsafe(`DELETE ${email}`)]',
    'a raw part of a statement': 'client.$queryRaw`SELECT ${Prisma.raw(email)}`',
    'a member by a string': "[Prisma.sql``, client['$queryRawUnsafe'](email)]",
    'a member by destructuring': '{ const { $executeRawUnsafe: run } = client; return [Prisma.sql``, run(email)] }',
    'a part by destructuring': '{ const { raw } = Prisma; return client.$queryRaw`SELECT ${raw(email)}` }',
  }
  for (const [name, statement] of Object.entries(unsafe)) t.match(await lint(statement), refusal, name)
})

t.test('HTTP-07: it accepts parameters', async (t) => {
  t.strictSame(await lint('client.$queryRaw`SELECT ${email} ${Prisma.sql`AS email`}`'), [])
})
