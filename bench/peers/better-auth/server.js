// better-auth as used for a single-page or mobile app: a session in the database, identified by a cookie.

import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'

const { PORT, DATABASE_URL, SECRET } = process.env

const auth = betterAuth({
  baseURL: 'http://localhost:3000',
  secret: SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL }),
  emailAndPassword: { enabled: true },
  // The default is a day, during which use does not write. With 0 each use renews the session, as a refresh does
  // elsewhere.
  session: { updateAge: 0 },
  // One address registers hundreds of users here.
  rateLimit: { enabled: false },
  logger: { disabled: true },
  telemetry: { enabled: false },
})

await (await getMigrations(auth.options)).runMigrations()
createServer(toNodeHandler(auth)).listen(Number(PORT), '127.0.0.1')
