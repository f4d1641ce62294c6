// Writes the Postman collection and its environment from docs/openapi.json and the tour in scripts/postman. With
// --check it writes nothing, and fails when one of them is out of date.

import { readFileSync } from 'node:fs'
import { formatJson, writeOrCheck } from './generated-files.js'
import { generatePostman } from './postman/collection.js'

const document: unknown = JSON.parse(readFileSync(new URL('../docs/openapi.json', import.meta.url), 'utf8'))
const { collection, environment } = await generatePostman(document)

writeOrCheck(
  {
    'postman/sallyport.postman_collection.json': await formatJson(collection),
    'postman/sallyport.postman_environment.json': await formatJson(environment),
  },
  'npm run postman',
)
