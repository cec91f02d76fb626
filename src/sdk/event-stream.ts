// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), read from a body.

export interface ServerSentEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** An event larger than this is a fault, not an event. */
const EVENT_CHARS_MAX = 4_194_304

/** The events of a stream, in order. Ends with the stream; throws where it is cut. `onChunk` tells each sign of life. */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  onChunk: () => void = () => undefined,
): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let held = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onChunk()
      held += decoder.decode(value, { stream: true })
      if (held.length > EVENT_CHARS_MAX) throw new Error('An event of the stream is too large.')
      const { events, rest } = splitEvents(held)
      held = rest
      for (const text of events) {
        const parsed = parseEvent(text)
        if (parsed) yield parsed
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function splitEvents(text: string): { events: string[]; rest: string } {
  // A carriage return at the very end may be half of a CRLF.
  const end = text.endsWith('\r') ? text.length - 1 : text.length
  const parts = text.slice(0, end).split(/(?:\r\n|\n|\r)(?:\r\n|\n|\r)/)
  const rest = (parts.pop() ?? '') + text.slice(end)
  return { events: parts, rest }
}

function parseEvent(text: string): ServerSentEvent | undefined {
  let event = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const row of text.split(/\r\n|\n|\r/)) {
    if (row === '' || row.startsWith(':')) continue
    const colon = row.indexOf(':')
    const name = colon < 0 ? row : row.slice(0, colon)
    const value = colon < 0 ? '' : row.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') event = value
    else if (name === 'data') data.push(value)
    else if (name === 'id') id = value
  }
  return data.length > 0 ? { event, data: data.join('\n'), id } : undefined
}
