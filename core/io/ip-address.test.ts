import { isIP, isIPv4 } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { parseIpOctets } from './ip-address.ts'

test('property: every numeric IPv4 address is read into its octets', (t) => {
  const property = fc.property(fc.ipV4(), (text) => {
    t.is(parseIpOctets(text)?.join('.'), text)
  })
  fc.assert(property)
})

test('property: every numeric IPv6 address is read as the URL parser reads it', (t) => {
  const property = fc.property(fc.ipV6(), (text) => {
    const octets = parseIpOctets(text)
    t.is(octets?.length, 16)
    const groups: string[] = []
    for (let i = 0; i < 16; i += 2) groups.push((octets![i]! * 256 + octets![i + 1]!).toString(16))
    t.is(new URL(`http://[${groups.join(':')}]/`).host, new URL(`http://[${text}]/`).host)
  })
  fc.assert(property)
})

test('a zone is ignored', (t) => {
  t.deepEqual(parseIpOctets('fe80::1%eth0'), parseIpOctets('fe80::1'))
})

test('property: what is not numeric is refused, and nothing throws', (t) => {
  const property = fc.property(fc.string({ maxLength: 60 }), (text) => {
    if (isIP(text) === 0 && !text.includes('%')) t.is(parseIpOctets(text), undefined)
    else if (isIPv4(text)) t.is(parseIpOctets(text)?.length, 4)
  })
  fc.assert(property, { numRuns: 2_000 })
  const refused = ['1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', ':::', '1::2::3', 'localhost', '']
  for (const text of [...refused, '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '12345::', '::g']) {
    t.is(parseIpOctets(text), undefined, text)
  }
})
