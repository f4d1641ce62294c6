// Express with express-jwt, which checks the signature and the claims of each request. The key is parsed once: parsing its
// text for each request would take longer than everything else. The claims are returned, as Sallyport's /v1/whoami does.

import { createPublicKey } from 'node:crypto'
import express from 'express'
import { expressjwt } from 'express-jwt'

const { PORT, PUBLIC_KEY, ISSUER } = process.env
const key = createPublicKey({ key: JSON.parse(PUBLIC_KEY), format: 'jwk' })

const app = express()
app.get('/readyz', (request, response) => response.json({ ready: true }))
app.get(
  '/v1/whoami',
  expressjwt({ secret: key, algorithms: ['ES256'], issuer: ISSUER, audience: ISSUER }),
  (request, response) => response.json(request.auth),
)
app.listen(Number(PORT), '127.0.0.1')
