import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/**
 * The operator's templates that no mail uses, such as one whose name is mistyped. A file is used if a shipped one has its
 * path, in the same or in another language, or if another file of the folder includes it. Hidden files do not count.
 */
export function findUnusedTemplates(
  folder: string,
  { shippedFolder, locales }: { shippedFolder: string; locales: readonly string[] },
): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => !path.split('/').some((name) => name.startsWith('.')))
  const texts = paths.map((path) => readFileSync(join(folder, path), 'utf8'))
  const isShipped = (path: string) => existsSync(join(shippedFolder, path))
  // `otp/pt-BR.txt` and `shared/pt-BR/footer.txt` stand beside those in English.
  const inEnglish = (path: string) =>
    locales.map((locale) => path.replace(`/${locale}.`, '/en.').replace(`/${locale}/`, '/en/'))
  return paths.filter(
    (path) => !isShipped(path) && !inEnglish(path).some(isShipped) && !texts.some((text) => text.includes(`'${path}'`)),
  )
}
