// The last step of the build: the embedded database's first start unpacks what is made here.
import { writeEmbeddedTemplate } from '../dist/platform/database/embedded-template.js'

await writeEmbeddedTemplate()
process.exit()
