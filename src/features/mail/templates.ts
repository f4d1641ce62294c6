import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Liquid, Template } from 'liquidjs'

/** The three parts of a mail, by the ends of their files' names. */
export const parts = ['subject', 'txt', 'html'] as const

export type Part = (typeof parts)[number]

// The same from src/ and from dist/.
export const shippedFolder = fileURLToPath(new URL('../../../templates/mail', import.meta.url))

/** A template that cannot be read, or not be rendered. The message names the file and the fault. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** The templates of mails. They are data: they can only read the values that they are rendered with. */
export interface Templates {
  /** Throws a TemplateError. */
  render(name: string, locale: string, part: Part, values: Readonly<Record<string, string | null>>): string
}

/** The library is loaded only here. Files in `folder` take the place of shipped files with the same path. */
export async function createTemplates(folder: string | null): Promise<Templates> {
  if (folder !== null && !existsSync(folder))
    throw new TemplateError(`MAIL_TEMPLATES: the folder ${folder} is missing.`)
  const { Liquid } = await import('liquidjs')
  const options = {
    root: folder === null ? [shippedFolder] : [folder, shippedFolder],
    relativeReference: false,
    cache: true,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
  }
  const html = new Liquid({ ...options, outputEscape: 'escape' })
  const plain = new Liquid(options)
  const parsed = new Map<string, Template[]>()

  function parse(engine: Liquid, file: string): Template[] {
    const known = parsed.get(file)
    if (known !== undefined) return known
    const templates = engine.parseFileSync(file)
    parsed.set(file, templates)
    return templates
  }

  return {
    render(name, locale, part, values) {
      const engine = part === 'html' ? html : plain
      const file = `${name}/${locale}.${part}`
      try {
        const text: unknown = engine.renderSync(parse(engine, file), values)
        return String(text)
      } catch (error) {
        const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n')
        throw new TemplateError(`The mail template ${file} cannot be used: ${reason}`)
      }
    },
  }
}
