import { BlockList, isIP } from 'node:net'

/** An IP address in one spelling: an IPv4 address that arrived as IPv6 (`::ffff:192.0.2.7`) is an IPv4 address. */
interface Address {
  family: 4 | 6
  /** In parts of 8 bits for IPv4, of 16 bits for IPv6. */
  parts: number[]
}

/**
 * The networks that an address is counted under, the narrowest first: an IPv4 address by itself; an IPv6 address with its
 * /64, which is the least that one customer has, and with its /48, which is the most. What is no address, as a proxy may
 * hand on by mistake, is one network of its own.
 */
export function networksOf(text: string | null): [own: string, wider?: string] {
  const address = text === null ? null : parseAddress(text)
  if (address === null) return ['unknown']
  if (address.family === 4) return [format(address)]
  const prefix = (bits: number) => `${format({ ...address, parts: masked(address, bits) })}/${bits}`
  return [prefix(64), prefix(48)]
}

/**
 * An address in its one spelling, without the port or zone that it may come with; null for any other text, and for
 * undefined, which the address of a connection becomes when it is closed, whatever the types say.
 */
export function canonicalAddress(text: string | undefined): string | null {
  const address = parseAddress(text)
  return address === null ? null : format(address)
}

/**
 * A range of addresses (RFC 4632, RFC 4291) in its one spelling, such as `192.0.2.0/24` or `2001:db8::/32`; an address
 * alone is a range of one. Null for any other text, and for a range of everything.
 */
export function parseRange(text: string): string | null {
  const [, host = '', length] = /^([\d.:a-f]+)(?:\/([1-9]\d{0,2}))?$/i.exec(text) ?? []
  const written = isIP(host)
  const address = parseAddress(host)
  if (address === null) return null
  const bits = written === 4 ? 32 : 128
  const prefix = length === undefined ? bits : Number(length)
  // Of an IPv4 address that is written as IPv6, the first 96 bits are always the same.
  const narrowed = written === 6 && address.family === 4 ? prefix - 96 : prefix
  if (prefix > bits || narrowed < 1) return null
  return `${format({ ...address, parts: masked(address, narrowed) })}/${narrowed}`
}

export interface AddressSet {
  /** False for what is no address, undefined included. */
  has(address: string | undefined): boolean
}

/** The addresses in any of the ranges. Each is one that `parseRange` has read. */
export function createAddressSet(ranges: readonly string[]): AddressSet {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/')
    list.addSubnet(network, Number(prefix), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    has(text) {
      const address = parseAddress(text)
      return address !== null && list.check(format(address), address.family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** Some proxies hand on the port as well, and a link-local address carries its zone. */
function parseAddress(text: string | undefined): Address | null {
  if (text === undefined) return null
  const [, bracketed, plain] = /^\[(.+)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text) ?? []
  const [address = ''] = (bracketed ?? plain ?? text).split('%', 1)
  if (isIP(address) === 4) return { family: 4, parts: address.split('.').map(Number) }
  if (isIP(address) !== 6) return null
  const parts = groupsOf(address)
  const isMapped = parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff
  if (!isMapped) return { family: 6, parts }
  return { family: 4, parts: parts.slice(6).flatMap((part) => [part >> 8, part & 0xff]) }
}

/** The eight groups of an IPv6 address in any of its spellings (RFC 4291, section 2.2). */
function groupsOf(address: string): number[] {
  const inHex = address.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [before = [], after = []] = inHex
    .split('::')
    .map((side) => (side === '' ? [] : side.split(':').map((group) => parseInt(group, 16))))
  const zeros = Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...zeros, ...after]
}

function masked({ family, parts }: Address, prefix: number): number[] {
  const width = family === 4 ? 8 : 16
  return parts.map((part, index) => {
    const kept = Math.min(width, Math.max(0, prefix - index * width))
    return part & ~(2 ** (width - kept) - 1)
  })
}

function format({ family, parts }: Address): string {
  if (family === 4) return parts.join('.')
  // The parser of URLs knows the shortest spelling (RFC 5952).
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1)
}
