// A key store on disk, with the three methods of a phone's: one file per key, readable only by this user.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Stores values in a folder, which is created with the first one.
 * @param {string} folder
 */
export function createKeyStore(folder) {
  return {
    /** @param {string} key */
    async get(key) {
      try {
        return await readFile(join(folder, nameOf(key)), 'utf8')
      } catch (error) {
        // Only a value that was never stored is absent. One that cannot be read may be a session.
        if (error.code === 'ENOENT') return null
        throw error
      }
    },

    /**
     * @param {string} key
     * @param {string} value
     */
    async set(key, value) {
      const file = join(folder, nameOf(key))
      // A kill may leave a temporary file behind. It is never read, and the next refresh makes its token useless.
      const draft = `${file}.${randomUUID()}`
      await mkdir(folder, { recursive: true, mode: 0o700 })
      try {
        await writeThrough(draft, value)
        // Replaces the old value atomically: a partial record is never read.
        await rename(draft, file)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
      await sync(folder)
    },

    /** @param {string} key */
    async delete(key) {
      await rm(join(folder, nameOf(key)), { force: true })
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await sync(folder)
    },
  }
}

async function writeThrough(file, text) {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A new name in a folder is durable only after the folder itself was synced. */
async function sync(folder) {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The keys that Expo's store accepts, except names with a meaning for the file system. */
function nameOf(key) {
  if (!/^\w[\w.-]*$/.test(key))
    throw new TypeError(`"${key}" is not a valid key: use letters, digits, ".", "-" and "_".`)
  return key
}
