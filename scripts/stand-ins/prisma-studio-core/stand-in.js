// Prisma's command line imports it at each start, and calls it for Prisma Studio.

import { leftOut } from '../left-out.js'

const fail = leftOut('@prisma/studio-core', 'prisma studio')

export const createMySQL2Executor = fail
export const createNodeSQLiteExecutor = fail
export const createPostgresJSExecutor = fail
