/** The pages to which the links in mails lead, below `LINK_URL`. */
const pages = ['verify-email', 'reset-password', 'otp', 'undo-email-change', 'not-me', 'invitation'] as const

export interface Link {
  page: (typeof pages)[number]
  token: string
}

/**
 * Reads the address of a link from a mail, for pages and apps to which `LINK_URL` leads; null for other addresses. Some mail
 * programs change `#` to `%23`. Remove the token from the address bar before anything else.
 */
export function readLink(address: string): Link | null {
  const [, path, token] = /\/([a-z-]+)\/?(?:[?#]|%23)(?:[^?#]*&)?token=(spl_[\w-]+)/i.exec(address) ?? []
  const page = pages.find((name) => name === path)
  return page === undefined || token === undefined ? null : { page, token }
}
