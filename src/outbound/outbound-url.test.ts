import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../base/errors.ts'
import { checkOutboundUrl, type UrlRules } from './outbound-url.ts'

const RULES: UrlRules = {
  schemes: ['https', 'http'],
  ports: [443, 80],
  allowHosts: new Set(['127.0.0.1:8787', '[::1]:8787', 'intranet:8787']),
}

const ALLOWED = [
  'https://example.com',
  'https://example.com/path?q=1#fragment',
  'http://example.com:80/',
  'HTTPS://EXAMPLE.COM/',
  'https://example.com./',
  'https://xn--bcher-kva.example.com/',
  'https://bücher.example.com/',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
  'https://localhost.example.com/',
  'http://127.0.0.1:8787/orders',
  'http://[::1]:8787/',
  'http://intranet:8787/',
]

const REFUSED = [
  // Not a URL, or one that parsers read differently.
  '',
  'example.com',
  '//example.com',
  'https://',
  'https:\\\\example.com',
  'https://example.com\\@127.0.0.1/',
  'https://exam\tple.com/',
  ' https://example.com/',
  'https://example.com/\r\nHost: internal',
  'https://example.com\u0000.internal/',
  'https://[::1',
  `https://example.com/${'a'.repeat(9_000)}`,
  // Schemes.
  'file:///etc/passwd',
  'ftp://example.com/',
  'gopher://example.com/',
  'dict://example.com:11211/',
  'data:text/plain,hello',
  'javascript:alert(1)',
  'ws://example.com/',
  'blob:https://example.com/1',
  'unix:/var/run/docker.sock',
  // Ports.
  'https://example.com:22/',
  'http://example.com:6379/',
  'http://example.com:8787/',
  'http://127.0.0.1:8788/',
  // Credentials.
  'https://user@example.com/',
  'https://user:secret@example.com/',
  'https://example.com@127.0.0.1/',
  'https://127.0.0.1:80@example.com/',
  // Loopback in every notation.
  'http://127.0.0.1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://2130706433/',
  'http://017700000001/',
  'http://0x7f000001/',
  'http://0x7f.0x0.0x0.0x1/',
  'http://0177.0.0.1/',
  'http://127.0.0.1./',
  'http://１２７.０.０.１/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fd00:ec2::254]/',
  'http://[ff02::1]/',
  // A public address in disguise is refused as well.
  'http://134744072/',
  'http://0x08.8.8.8/',
  'http://8.8.2056/',
  // Private networks and metadata services.
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://[::ffff:169.254.169.254]/',
  'http://168.63.129.16/',
  'http://100.100.100.200/',
  'http://192.0.0.192/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://240.0.0.1/',
  'http://198.18.0.1/',
  'http://metadata.google.internal/',
  'http://METADATA.google.internal./',
  'http://metadata.goog/',
  'http://instance-data.ec2.internal/',
  // Names of internal networks.
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://app.localhost/',
  'http://localhost.localdomain/',
  'http://printer.local/',
  'http://kubernetes/',
  'http://kubernetes.default.svc/',
  'http://kubernetes.default.svc.cluster.local/',
  'http://router.home.arpa/',
  'http://intranet/',
  'http://wiki.corp/',
]

describe('checkOutboundUrl', () => {
  for (const url of ALLOWED) it(`allows ${url}`, () => assert.ok(checkOutboundUrl(url, RULES)))
  for (const url of REFUSED) {
    it(`refuses ${JSON.stringify(url.slice(0, 80))}`, () => {
      assert.throws(() => checkOutboundUrl(url, RULES), isRefusal)
    })
  }

  it('refuses http where only https is allowed, and says what is', () => {
    const rules = { ...RULES, schemes: ['https'] as const }
    assert.throws(() => checkOutboundUrl('http://example.com/', rules), /only https/)
  })

  it('does not repeat a password in its message', () => {
    assert.throws(
      () => checkOutboundUrl('https://user:secret@example.com/', RULES),
      (error) => isRefusal(error) && !error.message.includes('secret'),
    )
  })
})

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'outbound.refused'
}
