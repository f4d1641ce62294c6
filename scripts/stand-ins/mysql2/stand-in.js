// Prisma Studio imports it for MySQL databases.

import { leftOut } from '../left-out.js'

leftOut('mysql2', 'prisma studio')()
