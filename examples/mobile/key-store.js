// A key store on the disk, with the three methods of a phone's: one file for each key, for this user's eyes only.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Keeps values in a folder, which is made when the first one is stored.
 * @param {string} folder
 */
export function createKeyStore(folder) {
  return {
    /** @param {string} key */
    async get(key) {
      try {
        return await readFile(join(folder, nameOf(key)), 'utf8')
      } catch (error) {
        // Only what was never stored is absent. What cannot be read at the moment may be a session.
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
      // A kill may leave a draft behind. Nobody reads it, and the next refresh spends the token in it.
      const draft = `${file}.${randomUUID()}`
      await mkdir(folder, { recursive: true, mode: 0o700 })
      try {
        await writeThrough(draft, value)
        // Takes the place of the old value at once or not at all: nobody ever reads half a record.
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

/** A new name in a folder is safe from a power cut once the folder itself is on the disk. */
async function sync(folder) {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What a key store of Expo takes as a key, but for names that mean something to a file system. */
function nameOf(key) {
  if (!/^\w[\w.-]*$/.test(key))
    throw new TypeError(`"${key}" is not a valid key: use letters, digits, ".", "-" and "_".`)
  return key
}
