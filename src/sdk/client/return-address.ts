import { readPlatform } from './platform.js'

/** The parts of a page that a way to a provider and back needs. */
interface Page {
  location?: { href: string; assign(address: string): void }
  history?: { readonly state: unknown; replaceState(state: unknown, unused: string, address: string): void }
}

/** What Sallyport adds to `return_to`, at its end. */
export interface Returned {
  code: string | null
  error: string | null
  /** With the error `mfa_required`: what `secondStep` presents. */
  methods: string[]
  enroll: string[]
}

const pageOf = () => readPlatform() as unknown as Page

/** The address of this page; null outside a browser. */
export function currentAddress(): string | null {
  return pageOf().location?.href ?? null
}

/** The address of this page without its query and fragment. */
export function currentPage(): string | undefined {
  return currentAddress()?.replace(/[?#].*/s, '')
}

/** Opens an address in this page, or as the app does it. An app that passes nothing opens what it gets. */
export async function openAddress(address: string, open: ((address: string) => unknown) | undefined): Promise<void> {
  if (open) await open(address)
  else pageOf().location?.assign(address)
}

/** Reads the address to which the browser came back. `URL` is incomplete on some platforms. */
export function readReturned(address: string): Returned {
  const query = /\?([^#]*)/.exec(address)?.[1] ?? ''
  // The last one of each name: an earlier one is the application's own.
  const values = new Map(query.split('&').map((member) => member.split('=', 2) as [string, string]))
  const listOf = (name: string): string[] => decodeURIComponent(values.get(name) ?? '').match(/\w+/g) ?? []
  return {
    ...{ code: values.get('code') ?? null, error: values.get('error') ?? null },
    ...{ methods: listOf('methods'), enroll: listOf('enroll') },
  }
}

/** Takes the code, or the error, out of the address bar, so that a reload does not present it again. */
export function cleanAddress(): void {
  const { location, history } = pageOf()
  if (!location || !history) return
  const cleaned = location.href.replace(/[?&](?:code|error)=[^#]*/, '')
  if (cleaned !== location.href) history.replaceState(history.state, '', cleaned)
}
