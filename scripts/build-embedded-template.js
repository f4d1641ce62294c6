// The last step of the build: creates the template that the embedded database's first start unpacks.
import { writeEmbeddedTemplate } from '../dist/platform/database/embedded-template.js'

await writeEmbeddedTemplate()
process.exit()
