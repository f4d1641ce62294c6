import t from 'tap'
import { canonicalAddress, createAddressSet, networksOf, parseRange } from '../../../src/platform/http/addresses.js'

t.test('PWD-14, ABU-09: an address is counted by its network, an IPv6 address also by a wider one', async (t) => {
  const cases: [string | null, string, string?][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:C000:0207', '192.0.2.7'],
    ['192.0.2.7:51234', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64', '2001:db8:1::/48'],
    ['[2001:db8:1:2::1]:443', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8::/64', '2001:db8::/48'],
    ['fe80::1%eth0', 'fe80::/64', 'fe80::/48'],
    ['::1', '::/64', '::/48'],
    ['::', '::/64', '::/48'],
    ['64:ff9b::192.0.2.7', '64:ff9b::/64', '64:ff9b::/48'],
    ['unknown', 'unknown'],
    ['192.0.2.777', 'unknown'],
    ['', 'unknown'],
    [null, 'unknown'],
  ]
  for (const [address, ...networks] of cases) t.strictSame(networksOf(address), networks, String(address))
})

t.test('a range has a canonical form', async (t) => {
  const cases: [string, string | null][] = [
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['2001:DB8:0:0::1', '2001:db8::1/128'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::ffff:10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', null],
    ['::/0', null],
    ['::ffff:0.0.0.0/96', null],
    ['192.0.2.7/33', null],
    ['2001:db8::/129', null],
    ['192.0.2.7/', null],
    ['192.0.2/24', null],
    ['localhost', null],
    ['fe80::1%eth0', null],
    ['', null],
  ]
  for (const [text, range] of cases) t.equal(parseRange(text), range, text)
})

t.test('a set contains the addresses of its ranges, in any spelling', async (t) => {
  const set = createAddressSet(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7/32'])
  const inside = ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.9', '2001:db8:ffff::1', '198.51.100.7']
  const outside = ['192.0.3.0', '198.51.100.8', '2001:db9::1', '::ffff:192.0.3.1', 'unknown', '']
  for (const address of inside) t.ok(set.has(address), address)
  for (const address of outside) t.notOk(set.has(address), address)
})

t.test('OPS-10: the address of a closed connection, which is undefined, is none', async (t) => {
  t.equal(canonicalAddress(undefined), null)
  t.equal(createAddressSet(['192.0.2.0/24']).has(undefined), false)
})
