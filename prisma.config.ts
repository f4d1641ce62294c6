import { defineConfig } from 'prisma/config'

// These commands need no schema engine, but the CLI downloads one before it parses the command. Any executable satisfies
// that check. Only for these commands: `prisma migrate` needs the real engine.
const commandsWithoutEngine = ['generate', 'validate', 'format']
if (commandsWithoutEngine.some((command) => process.argv.includes(command))) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath
}

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL ? { datasource: { url: process.env.DATABASE_URL } } : {}),
})
