// Prisma's studio imports it for a MySQL database.

import { leftOut } from '../left-out.js'

leftOut('mysql2', 'prisma studio')()
