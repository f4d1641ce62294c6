import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../config.js'
import { createRenderer } from '../features/mail/mail.js'
import { CommandError } from './command.js'
import { readOptions } from './options.js'

/** Writes mails with made-up contents, so that templates can be looked at. It needs the settings, but no database. */
export const mailPreviewCommands: Record<string, (args: string[]) => Promise<string[]>> = {
  async 'mail:preview'(args) {
    const { to } = readOptions(args, { to: { type: 'string' } })
    if (to === undefined || to === '') {
      throw new CommandError('--to is required: the folder to write to, such as --to previews.')
    }
    const { mail, app } = loadConfig()
    const { preview } = await createRenderer({ ...mail, app })
    mkdirSync(to, { recursive: true })
    const mails = preview()
    for (const { kind, locale, subject, text, html } of mails) {
      writeFileSync(join(to, `${kind}.${locale}.txt`), `${subject}\n\n${text}`)
      writeFileSync(join(to, `${kind}.${locale}.html`), html)
    }
    return [`Wrote ${mails.length} mails to ${to}, each as text and as HTML.`]
  },
}
