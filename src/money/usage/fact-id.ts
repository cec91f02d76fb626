// Ids of usage records that are derived from their fact: the same fact has the same id for ever, in every process.

import { createHash } from 'node:crypto'
import type { RunId, UsageId } from '../../base/ids.ts'

/** Crockford's base 32, as all ids have it. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const ID_CHARS = 26
const BITS_PER_CHAR = 5n

/** The record of a run that has ended. */
export function runUsageId(runId: RunId): UsageId {
  return usageIdOf(`run:${runId}`)
}

/** The record of a tool call, by its `toolFact`. */
export function toolUsageId(fact: string): UsageId {
  return usageIdOf(`tool:${fact}`)
}

/** 130 bits of the SHA-256 of the fact's name. */
export function usageIdOf(fact: string): UsageId {
  let bits = BigInt(`0x${createHash('sha256').update(fact).digest('hex')}`)
  let body = ''
  for (let at = 0; at < ID_CHARS; at++) {
    body += ALPHABET.charAt(Number(bits & 31n))
    bits >>= BITS_PER_CHAR
  }
  return `use_${body}` as UsageId
}
