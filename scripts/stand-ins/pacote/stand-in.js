// tap imports it at each start, and calls it to choose the version of a plugin.

import { leftOut } from '../left-out.js'

export default { packument: leftOut('pacote', 'tap plugin add') }
