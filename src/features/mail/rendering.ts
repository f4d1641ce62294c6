import { chooseLocale, isRightToLeft, shippedLocales } from './locales.js'
import { sampleMails } from './samples.js'
import type { ComposedMail, QueuedMail } from './source.js'
import { createTemplates, parts, shippedFolder, TemplateError, type Templates } from './templates.js'
import type { OutgoingMail } from './transport.js'
import { findUnusedTemplates } from './unused-templates.js'
import { formatCode, formatDuration, formatTime, presentable } from './values.js'

export interface RenderSettings {
  /** The folder of templates that take the place of shipped ones; null for none. */
  readonly templates: string | null
  /** The languages that are offered, the default first. */
  readonly locales: readonly [string, ...string[]]
  readonly app: { readonly name: string; readonly supportUrl: string | null }
}

/** Writes mails from templates. */
export interface Renderer {
  /** Throws a TemplateError. */
  render(composed: ComposedMail, mail: Pick<QueuedMail, 'id' | 'createdAt'>): OutgoingMail
  /** Every template in every language, with made-up values. */
  preview(): OutgoingMail[]
}

/** Throws a TemplateError that names every fault of the operator's own templates. */
export async function createRenderer(settings: RenderSettings): Promise<Renderer> {
  const templates = await createTemplates(settings.templates)
  const renderer: Renderer = {
    render: (composed, mail) => renderMail(composed, mail, { ...settings, templates }),
    preview: () =>
      settings.locales.flatMap((locale) =>
        sampleMails(locale, { bare: false }).map(({ composed, mail }) => renderer.render(composed, mail)),
      ),
  }
  if (!areShipped(settings)) requireUsable(templates, settings)
  return renderer
}

/** Whether all templates are the shipped ones, which are tested: others may lack a file, or use what a mail does not have. */
export function areShipped({ templates, locales }: Pick<RenderSettings, 'templates' | 'locales'>): boolean {
  return templates === null && locales.every((locale) => shippedLocales.includes(locale))
}

function requireUsable(templates: Templates, settings: RenderSettings): void {
  const faults = new Set<string>()
  const samples = settings.locales.flatMap((locale) => [false, true].flatMap((bare) => sampleMails(locale, { bare })))
  for (const { composed, mail } of samples) {
    const values = { ...valuesOf(composed, mail, composed.locale, settings.app), subject: '' }
    for (const part of parts) {
      try {
        templates.render(composed.template, composed.locale, part, values)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        faults.add(error.message)
      }
    }
  }
  const { templates: folder, locales } = settings
  const unused = folder === null ? [] : findUnusedTemplates(folder, { shippedFolder, locales })
  for (const file of unused) {
    faults.add(`The mail template ${file} is not used: no mail in the languages of MAIL_LOCALES has this name.`)
  }
  if (faults.size > 0) throw new TemplateError([...faults].join('\n'))
}

interface Rendering extends Omit<RenderSettings, 'templates'> {
  templates: Templates
}

function renderMail(
  composed: ComposedMail,
  mail: Pick<QueuedMail, 'id' | 'createdAt'>,
  { templates, locales, app }: Rendering,
): OutgoingMail {
  const { template, to, link, code, confirm, params } = composed
  const locale = chooseLocale(composed.locale, locales)
  const values = valuesOf(composed, mail, locale, app)
  const subject = oneLine(templates.render(template, locale, 'subject', values))
  return {
    id: mail.id,
    kind: template,
    locale,
    to,
    subject,
    text: tidy(templates.render(template, locale, 'txt', values)),
    html: templates.render(template, locale, 'html', { ...values, subject }),
    ...(link !== undefined && { link }),
    ...(code !== undefined && { code }),
    ...(confirm !== undefined && { confirm }),
    params,
  }
}

/** What templates may use. What a mail does not have is null, which is false in a condition. */
function valuesOf(
  composed: ComposedMail,
  { createdAt }: Pick<QueuedMail, 'createdAt'>,
  locale: string,
  app: RenderSettings['app'],
) {
  const { params, validSeconds } = composed
  const direction = isRightToLeft(locale) ? 'rtl' : 'ltr'
  return {
    app_name: app.name,
    support_url: app.supportUrl,
    locale,
    dir: direction,
    to: composed.to,
    link: composed.link ?? null,
    code: composed.code === undefined ? null : formatCode(composed.code, direction),
    not_me_link: composed.notMeLink ?? null,
    confirm: composed.confirm ?? null,
    valid: validSeconds === undefined ? null : formatDuration(validSeconds, locale),
    time: formatTime(params.time ?? createdAt.toISOString(), locale),
    name: presentable(params.name),
    device: presentable(params.device),
    network: params.network ?? null,
    factor: params.factor ?? null,
    factor_name: presentable(params.factor_name),
    provider: presentable(params.provider),
    provider_account: presentable(params.provider_account),
    cause: params.cause ?? null,
    left: params.left ?? null,
    at: params.at === undefined ? null : formatTime(params.at, locale),
  }
}

/** A subject with a line break would end its header. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

/** Parts of a text that are left out leave no gaps. */
function tidy(text: string): string {
  return `${text
    .replaceAll(/[^\S\n]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`
}
