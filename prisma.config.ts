import { defineConfig } from 'prisma/config'

// These commands need no schema engine, yet the CLI downloads one before it looks at what was asked. Any executable
// satisfies that check. Only these: `prisma migrate` needs the real engine and must never meet a stand-in.
const commandsWithoutEngine = ['generate', 'validate', 'format']
if (commandsWithoutEngine.some((command) => process.argv.includes(command))) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath
}

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL ? { datasource: { url: process.env.DATABASE_URL } } : {}),
})
