// The trace that a run belongs to (W3C Trace Context).

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The trace id of a `traceparent`, or a new one where there is none or it is not well-formed. 32 hexadecimal characters. */
export function readTraceId(traceparent: string | undefined): string {
  const given = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1]
  if (given !== undefined && !/^0+$/.test(given)) return given
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  let id = ''
  for (const byte of bytes) id += byte.toString(16).padStart(2, '0')
  return id
}
