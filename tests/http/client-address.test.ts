import { expect, test } from 'vitest'
import { createClientAddress } from '../../server/http/client-address.ts'

const from = (remoteAddress: string, forwarded?: string) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
})

test('without trusted proxies nobody can say that he comes from elsewhere', () => {
  const addressOf = createClientAddress([])
  expect(addressOf(from('203.0.113.9', '198.51.100.1'))).toBe('203.0.113.9')
})

test.each([
  ['a client that is no proxy', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['one proxy', '10.0.0.2', '203.0.113.9', '203.0.113.9'],
  ['what the client wrote itself', '10.0.0.2', '127.0.0.1, 10.9.9.9, 203.0.113.9', '203.0.113.9'],
  ['two proxies', '10.0.0.2', '198.51.100.1, 203.0.113.9, 10.0.0.3', '203.0.113.9'],
  ['a proxy at an address of the other kind', '::ffff:10.0.0.2', '203.0.113.9', '203.0.113.9'],
  ['a proxy without the header', '10.0.0.2', undefined, '10.0.0.2'],
  ['a client inside', '10.0.0.2', '10.0.0.7', '10.0.0.7'],
  ['a port', '10.0.0.2', '203.0.113.9:55123', '203.0.113.9'],
  ['IPv6 with a port', '2001:db8:1::2', '[2001:db8:2::9]:443', '2001:db8:2::9'],
  ['nonsense', '10.0.0.2', 'unknown', '10.0.0.2'],
  ['nonsense before a client', '10.0.0.2', "'; DROP TABLE, 203.0.113.9", '203.0.113.9'],
  ['nothing', '10.0.0.2', '', '10.0.0.2'],
])('behind trusted proxies: %s', (_name, remote, forwarded, expected) => {
  const addressOf = createClientAddress(['10.0.0.0/8', '2001:db8:1::/48'])
  expect(addressOf(from(remote, forwarded))).toBe(expected)
})
