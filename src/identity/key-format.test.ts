import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashApiKey, isApiKey, newApiKey, prefixOf } from './key-format.ts'

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

describe('an API key', () => {
  it('has 52 characters of one form, whatever its randomness', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const key = newApiKey(random)
        assert.match(key, /^af_[0-9A-Za-z]{49}$/)
        assert.ok(isApiKey(key))
      }),
    )
    for (const edge of [new Uint8Array(32), new Uint8Array(32).fill(255)])
      assert.ok(isApiKey(newApiKey(edge)))
  })

  it('keeps all of its randomness: two keys are the same only where their bytes are', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.equal(newApiKey(a) === newApiKey(b), Buffer.from(a).equals(Buffer.from(b)))
      }),
    )
  })

  it('is refused after a change of any one character', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.nat(51),
        fc.constantFrom(...ALPHABET, '_', '-', ' ', 'é', '\n'),
        (random, at, other) => {
          const key = newApiKey(random)
          fc.pre(key[at] !== other)
          assert.ok(!isApiKey(key.slice(0, at) + other + key.slice(at + 1)))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('is refused when two neighbours change places, and when it is cut or longer', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 3, max: 50 }), (random, at) => {
        const key = newApiKey(random)
        fc.pre(key[at] !== key[at + 1])
        assert.ok(!isApiKey(`${key.slice(0, at)}${key[at + 1]}${key[at]}${key.slice(at + 2)}`))
        assert.ok(!isApiKey(key.slice(0, -1)) && !isApiKey(`${key}0`) && !isApiKey(`${key}\n`))
      }),
    )
  })

  it('is not any other text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => assert.ok(!isApiKey(text))))
  })

  it('is stored as a SHA-256 and recognised by its first characters', () => {
    // FIPS 180-2, appendix B.1: SHA-256 of "abc".
    assert.equal(hashApiKey('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const key = newApiKey()
    assert.equal(prefixOf(key), key.slice(0, 11))
  })
})
