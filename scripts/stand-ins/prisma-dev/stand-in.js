// Prisma's command line imports it at each start, and calls it to run a local database.

import { leftOut } from '../left-out.js'

const fail = leftOut('@prisma/dev', 'prisma dev')

export const startPrismaDevServer = fail
export const ServerState = { fromServerDump: fail, scan: fail }
