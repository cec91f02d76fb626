// Headers that every request may bring: its id, its trace, how long it would wait.

import { newId } from '../../base/ids.ts'
import { WAIT_SECONDS_MAX } from '../../contract/run.ts'

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The client's id where it is well-formed, else a new one. */
export function requestIdOf(header: string | undefined): string {
  return header !== undefined && REQUEST_ID.test(header) ? header : newId('request')
}

/** A W3C trace context (https://www.w3.org/TR/trace-context/), where it is valid. */
export function traceparentOf(header: string | undefined): string | undefined {
  return header !== undefined && TRACEPARENT.test(header) ? header : undefined
}

/** The seconds of `Prefer: wait=N` (RFC 7240), at most what is allowed; what is not understood is no preference. */
export function preferredWait(header: string | undefined): number | undefined {
  const match = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:[,;]|$)/i.exec(header ?? '')
  return match ? Math.min(Number(match[1]), WAIT_SECONDS_MAX) : undefined
}
