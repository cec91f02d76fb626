// Reads the body of an outbound response, never more than its limit, compressed or not.

import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip } from 'node:zlib'
import { AppError } from '../base/errors.ts'

/** What we ask servers for, and all that we can decode. */
export const ACCEPT_ENCODING = 'gzip, br'

export interface ReadBody {
  readonly bytes: Uint8Array
  /** The body was longer; `bytes` is its beginning. */
  readonly truncated: boolean
}

/**
 * The body, decompressed. More than `bytesMax` bytes, before or after decompression, are never held: what is
 * longer is cut (`truncate`) or refused with `outbound.failed`. A compression bomb stops at the limit.
 */
export async function readBody(
  body: Readable,
  encoding: string | undefined,
  bytesMax: number,
  onTooLong: 'refuse' | 'truncate',
): Promise<ReadBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of decoded(body, encoding, bytesMax) as AsyncIterable<Uint8Array>) {
    const room = bytesMax - size
    if (chunk.byteLength > room) {
      if (onTooLong === 'refuse') throw tooLong(bytesMax)
      chunks.push(chunk.subarray(0, room))
      return { bytes: Buffer.concat(chunks), truncated: true }
    }
    chunks.push(chunk)
    size += chunk.byteLength
  }
  return { bytes: Buffer.concat(chunks), truncated: false }
}

function decoded(body: Readable, encoding: string | undefined, bytesMax: number): AsyncIterable<unknown> {
  const decoder = decoderFor(encoding?.trim().toLowerCase())
  if (decoder === undefined) return body
  // The callback is required; a failure reaches the reader of `decoder` as well, which reports it.
  return pipeline(body, limited(bytesMax), decoder, () => undefined)
}

/** Passes at most `bytesMax` compressed bytes: a stream of empty blocks is endless without producing output. */
function limited(bytesMax: number): (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  return async function* count(source) {
    let size = 0
    for await (const chunk of source) {
      size += chunk.byteLength
      if (size > bytesMax) throw tooLong(bytesMax)
      yield chunk
    }
  }
}

function decoderFor(encoding: string | undefined) {
  switch (encoding) {
    case undefined:
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    default:
      throw new AppError('outbound.failed', 'The answer is compressed in a way that was not asked for.')
  }
}

function tooLong(bytesMax: number): AppError {
  return new AppError('outbound.failed', `The answer is longer than the limit of ${bytesMax} bytes.`)
}
