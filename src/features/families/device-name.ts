import Bowser from 'bowser'

/** What a user would call a device, such as "Firefox on Windows"; null when its user agent says nothing known. */
export function deviceNameOf(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === '') return null
  const { browser, os } = Bowser.parse(userAgent)
  const parts = [browser.name, os.name].filter((part) => part !== undefined && part !== '')
  return parts.length === 0 ? null : parts.join(' on ')
}
