import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMessageKey, locales, type CustomMessages, type Locale, type Messages } from '../locales/messages.js'

/** The look and the texts of the pages: ours, with what THEME_DIR replaces. */
export interface Theme {
  css: string
  logo: { type: string; body: Buffer }
  messages: CustomMessages
}

const shipped = new URL('.', import.meta.url)

/** The files of a logo, of which the first that exists is used. */
const logos = { 'logo.svg': 'image/svg+xml', 'logo.png': 'image/png', 'logo.webp': 'image/webp' }

/**
 * Reads THEME_DIR: `theme.css`, which follows ours, a logo, and `locales/<language>.json` with the texts to replace. It
 * throws for what cannot be meant, such as an unknown key, or a file that has none of these names. There are no templates:
 * they would break with every release.
 */
export async function readTheme(folder: string | null): Promise<Theme> {
  const css = await readFile(new URL('../theme.css', shipped), 'utf8')
  const own = { type: logos['logo.svg'], body: await readFile(new URL('../logo.svg', shipped)) }
  if (folder === null) return { css, logo: own, messages: {} }
  await requireKnownFiles(folder)
  const customCss = await readIfPresent(join(folder, 'theme.css'))
  return {
    css: customCss === null ? css : `${css}\n${customCss.toString('utf8')}`,
    logo: (await readLogo(folder)) ?? own,
    messages: await readMessages(folder),
  }
}

/** A folder may have others besides, such as `.git`, but no file that its author takes for one of these. */
async function requireKnownFiles(folder: string): Promise<void> {
  const known = {
    '.': ['theme.css', ...Object.keys(logos), 'locales'],
    locales: locales.map((locale) => `${locale}.json`),
  }
  for (const [part, names] of Object.entries(known)) {
    for (const name of await listIfPresent(join(folder, part))) {
      if (names.includes(name) || name.startsWith('.')) continue
      throw new Error(`THEME_DIR: ${join(folder, part, name)} is not used. Only these names are: ${names.join(', ')}.`)
    }
  }
}

async function readLogo(folder: string): Promise<Theme['logo'] | null> {
  for (const [name, type] of Object.entries(logos)) {
    const body = await readIfPresent(join(folder, name))
    if (body !== null) return { type, body }
  }
  return null
}

async function readMessages(folder: string): Promise<CustomMessages> {
  const custom: Partial<Record<Locale, Partial<Messages>>> = {}
  for (const locale of locales) {
    const path = join(folder, 'locales', `${locale}.json`)
    const file = await readIfPresent(path)
    if (file !== null) custom[locale] = parseMessages(file.toString('utf8'), path)
  }
  return custom
}

function parseMessages(text: string, path: string): Partial<Messages> {
  const parsed: unknown = JSON.parse(text)
  const messages: Partial<Messages> = {}
  for (const [key, value] of Object.entries(parsed ?? {})) {
    if (!isMessageKey(key)) throw new Error(`THEME_DIR: ${path} has the unknown key "${key}".`)
    if (typeof value !== 'string') throw new Error(`THEME_DIR: "${key}" of ${path} must be a text.`)
    messages[key] = value
  }
  return messages
}

const readIfPresent = (path: string) => unlessMissing(readFile(path))

const listIfPresent = async (path: string) => (await unlessMissing(readdir(path))) ?? []

async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
