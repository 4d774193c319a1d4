import { expect, test } from 'vitest'
import { createAddressPolicy } from '../../server/upstreams/transport/address-policy.ts'

const notPublic =
  `0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
  192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
  255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8
  64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1 fd12::1 fe80::1
  fe80::1%eth0 fec0::1 ff02::1`.split(/\s+/)

test.each(notPublic)('%s is not public and is refused over https', (address) => {
  expect(createAddressPolicy([]).admits('https:', address)).toBe(false)
})

test.each(['8.8.8.8', '160.79.104.10', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
  '%s is public: https may go there, plain http may not',
  (address) => {
    const policy = createAddressPolicy([])
    expect(policy.admits('https:', address)).toBe(true)
    expect(policy.admits('http:', address)).toBe(false)
  },
)

test('a range on the allow-list admits its addresses over both protocols, and nothing beside it', () => {
  const policy = createAddressPolicy(['127.0.0.0/8', 'fd00::/8', '10.0.0.7', '8.8.8.8/32'])
  for (const protocol of ['http:', 'https:']) {
    for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', 'fd00::1', '10.0.0.7', '8.8.8.8']) {
      expect(policy.admits(protocol, address), `${protocol} ${address}`).toBe(true)
    }
    for (const address of ['10.0.0.8', '192.168.0.1', '::1', 'fc00::1', '169.254.169.254']) {
      expect(policy.admits(protocol, address), `${protocol} ${address}`).toBe(false)
    }
  }
})

test('an IPv6 range admits no IPv4 address, not even 0.0.0.0/0 read as ::/0', () => {
  expect(createAddressPolicy(['::/0']).admits('https:', '127.0.0.1')).toBe(false)
  expect(createAddressPolicy(['0.0.0.0/0']).admits('https:', '::1')).toBe(false)
})

test('text that is no address is refused, and an allow-list with such text is told off by entry', () => {
  expect(createAddressPolicy(['0.0.0.0/0']).admits('https:', 'localhost')).toBe(false)
  for (const bad of ['localhost', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', '']) {
    expect(() => createAddressPolicy([bad]), bad).toThrow(`"${bad}" is neither`)
  }
})
