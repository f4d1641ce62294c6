import { z } from 'zod'

/** The languages that are shipped; a folder of templates may add others. */
export const shippedLocales: readonly string[] = ['en', 'de', 'fr', 'es', 'ar']

const MAX_HEADER_LENGTH = 1000

/** A language tag (BCP 47) as a client wishes it; one that is not offered falls back to another. */
export const localeSchema = z
  .string()
  .max(35)
  .regex(/^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i, 'Must be a language tag, such as en or pt-BR')
  .meta({ examples: ['de'] })

/**
 * The language of `locales` that fits best: `wish` is a tag, or the value of an Accept-Language header (RFC 9110, section
 * 12.5.4), of which the first language counts that is offered. Tags match by their prefixes, in both directions: `de-AT`
 * gets `de`, and `pt` gets `pt-BR`. The first of `locales` where none fits.
 */
export function chooseLocale(
  wish: string | null | undefined,
  locales: readonly [string, ...string[]],
): (typeof locales)[number] {
  for (const tag of wishedTags(wish ?? '')) {
    const match = findLocale(tag, locales)
    if (match !== null) return match
  }
  return locales[0]
}

/** Whether a language is written from right to left. */
export function isRightToLeft(locale: string): boolean {
  return /^(ar|arc|ckb|dv|fa|he|ks|ku-arab|ps|sd|ug|ur|yi)(-|$)/i.test(locale)
}

/** Best first: by quality, and by order where that is the same. */
function wishedTags(header: string): string[] {
  return header
    .slice(0, MAX_HEADER_LENGTH)
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/)
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
      return { tag, quality: /^[01](\.\d{1,3})?$/.test(quality) ? Number(quality) : 0 }
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}

function findLocale(tag: string, locales: readonly string[]): string | null {
  // Each shorter form of the tag is tried before longer forms of it (RFC 4647, section 3.4).
  for (let prefix = tag; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('-')))) {
    const match = locales.find((locale) => locale.toLowerCase() === prefix)
    if (match !== undefined) return match
  }
  return locales.find((locale) => locale.toLowerCase().startsWith(`${tag}-`)) ?? null
}
