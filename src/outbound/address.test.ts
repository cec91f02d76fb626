import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPublicAddress } from './address.ts'

const PUBLIC = ['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450:4001:82a::200e']

const NOT_PUBLIC = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2a00:1450:4001:82a:0:5efe:7f00:1',
  '2a00:1450:4001:82a:200:5efe:7f00:1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'not an address',
  '',
]

describe('isPublicAddress', () => {
  for (const address of PUBLIC) it(`accepts ${address}`, () => assert.equal(isPublicAddress(address), true))
  for (const address of NOT_PUBLIC)
    it(`refuses ${address}`, () => assert.equal(isPublicAddress(address), false))

  it('refuses every address of the private networks, also inside IPv6', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const network = fc.constantFrom('10', '127')
    fc.assert(
      fc.property(network, octet, octet, octet, (first, second, third, fourth) => {
        const address = `${first}.${second}.${third}.${fourth}`
        const forms = [address, `::ffff:${address}`, `::${address}`, `64:ff9b::${address}`]
        assert.deepEqual(forms.filter(isPublicAddress), [])
      }),
    )
  })
})
