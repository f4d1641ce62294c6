// tap runs it to build its test class again, with other plugins.

import { leftOut } from '../left-out.js'

leftOut('tshy', 'tap build')()
