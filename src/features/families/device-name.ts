import Bowser from 'bowser'
import { text } from '../../platform/http/text.js'

export const deviceNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Work laptop'] })

/** The library takes any word before a slash for a browser, however long: only those that it knows make a name. */
const knownBrowsers = new Set(Object.values(Bowser.BROWSER_MAP))

/** What a user would call a device, such as "Firefox on Windows"; null when its user agent says nothing known. */
export function deviceNameOf(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === '') return null
  const { browser, os } = Bowser.parse(userAgent)
  const known = browser.name !== undefined && knownBrowsers.has(browser.name) ? browser.name : ''
  const parts = [known, os.name ?? ''].filter((part) => part !== '')
  return parts.length === 0 ? null : parts.join(' on ')
}
