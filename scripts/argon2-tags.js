// Prints the tags of some passwords and parameters, computed by the given argon2 binary, or by that of the package.
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** The binary that the package loads if none was compiled. */
function loadPackaged() {
  const folder = dirname(require.resolve('argon2/package.json'))
  process.env.PREBUILDS_ONLY = '1'
  return createRequire(join(folder, 'package.json'))('node-gyp-build')(folder)
}

const [binary] = process.argv.slice(2)
const { hash } = binary === undefined ? loadPackaged() : require(binary)

const bytes = (length, value) => Buffer.alloc(length, value)
const cases = [
  // RFC 9106, section 5.3.
  { password: bytes(32, 1), salt: bytes(16, 2), secret: bytes(8, 3), data: bytes(12, 4), m: 32, t: 3, p: 4 },
  ...[1, 2, 3].map((t) => ({ password: Buffer.from(`pässword ${t}`), salt: bytes(16, t), m: 19_456, t, p: 1 })),
  { password: Buffer.alloc(0), salt: bytes(16, 9), m: 65_536, t: 1, p: 1 },
]
for (const values of cases) {
  const tag = await hash({ secret: bytes(0), data: bytes(0), hashLength: 32, version: 0x13, type: 2, ...values })
  console.log(tag.toString('hex'))
}
