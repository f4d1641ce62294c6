import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { canonicalAddress, createAddressSet } from './addresses.js'

/**
 * What is not on the public internet, or leads to what is not (IANA, special-purpose address registries): this machine,
 * private networks, the metadata services of clouds (169.254.169.254), tunnels, and addresses of no single machine.
 */
const specialUse = createAddressSet([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
])

/** Of IPv6, what is assigned to single machines; the rest is special or unassigned. */
const globalUnicast = createAddressSet(['2000::/3'])

const loopback = createAddressSet(['127.0.0.0/8', '::1/128'])

/** Whether an IP address belongs to a machine on the public internet. */
export function isPublicAddress(text: string): boolean {
  // An IPv4 address that is written as IPv6 is judged as the one that it is.
  const address = canonicalAddress(text)
  if (address === null || specialUse.has(address)) return false
  return isIP(address) === 4 || globalUnicast.has(address)
}

export interface PublicGetLimits {
  /** The value of `Accept`. */
  accept: string
  /** How long it may take until the body is there, from the look-up of the name on. */
  withinMs: number
  maxBytes: number
}

export interface PublicAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/**
 * Gets what is at an address that a stranger has named. Throws where it is not on the public internet, and where no
 * answer within the limits comes. Redirects are not followed.
 */
export type PublicGet = (url: URL, limits: PublicGetLimits) => Promise<PublicAnswer>

export interface PublicGetOptions {
  /** Whether this machine may be asked as well, over http too; false by default. */
  allowsLoopback?: boolean
  /** Trusted beside the authorities that Node knows. */
  ca?: string
  /** The addresses of a name; those of the system's resolver by default. */
  resolve?: (hostname: string) => Promise<{ address: string; family: number }[]>
}

/**
 * Creates the only way in which this server asks addresses that strangers name. The name is resolved once for each
 * request, all of its addresses are checked, and the connection is made to one of them: a name that resolves to another
 * address the next time (DNS rebinding) leads nowhere.
 */
export function createPublicGet(options: PublicGetOptions = {}): PublicGet {
  const { allowsLoopback = false, ca, resolve = lookUp } = options
  const mayAsk = (address: string) => isPublicAddress(address) || (allowsLoopback && loopback.has(address))

  async function findAddresses(hostname: string): Promise<{ address: string; family: number }[]> {
    const literal = hostname.replace(/^\[(.*)\]$/, '$1')
    const family = isIP(literal)
    const found = family === 0 ? await resolve(hostname) : [{ address: literal, family }]
    // One private address among public ones is the mark of an attack as well.
    if (found.length === 0 || !found.every(({ address }) => mayAsk(address))) {
      throw new Error('The host is not on the public internet.')
    }
    return found
  }

  return async (url, { accept, withinMs, maxBytes }) => {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowsLoopback)) {
      throw new Error('Only https addresses are asked.')
    }
    const signal = AbortSignal.timeout(withinMs)
    const addresses = await orAborted(findAddresses(url.hostname), signal)
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      // No connection is used twice: each is made to addresses that were checked for it.
      agent: false,
      headers: { accept, 'accept-encoding': 'identity' },
      lookup: answering(addresses),
      signal,
      ...(ca !== undefined && { ca }),
    })
    const response = await new Promise<IncomingMessage>((done, failed) => {
      request.on('response', done).on('error', failed).end()
    })
    try {
      const body = await readBody(response, maxBytes)
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    } finally {
      request.destroy()
    }
  }
}

function lookUp(hostname: string) {
  return lookup(hostname, { all: true })
}

/** A look-up that answers what is known. It is not asked for an IP address, so that is checked before. */
function answering(addresses: { address: string; family: number }[]): LookupFunction {
  return (_hostname, { all }, answer) => {
    const [first] = addresses
    if (all === true) answer(null, addresses)
    else answer(null, first?.address ?? '', first?.family)
  }
}

/** The look-up of a name cannot be aborted, only left alone. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_done, failed) => {
      signal.addEventListener('abort', () => failed(signal.reason as Error), { once: true })
    }),
  ])
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = () => new Error('The answer is too long.')
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLong()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw tooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
