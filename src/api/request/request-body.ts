// Reads a body within its limits and turns it into JSON.

import { AppError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { checkJson, parseJson } from '../../base/json.ts'
import { BODY_BYTES_MAX } from '../../base/limits.ts'
import type { RouteBody } from '../../contract/route.ts'
import { refuseUnstorable } from './unstorable.ts'
import { parseYaml, YAML_TYPES } from './yaml.ts'

const FORM_TYPE = 'application/x-www-form-urlencoded'
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON of a request's body; `{}` where a body may be left out and is. */
export async function readBody(request: Request, body: RouteBody): Promise<Json> {
  const { headers } = request
  const mediaType = mediaTypeOf(headers.get('content-type'))
  const text = await readText(request)
  if (text === '' && body.optional) return {}
  if (headers.has('content-encoding') && headers.get('content-encoding') !== 'identity') {
    throw unsupported(body, 'a compressed body')
  }
  if (mediaType === 'application/json') {
    if (text === '') throw new AppError('request.malformed', 'The body is empty. Send JSON.')
    return parsedJson(text)
  }
  if (body.form && mediaType === FORM_TYPE) return parseForm(text)
  if (body.yaml && mediaType !== undefined && YAML_TYPES.has(mediaType)) return parseYaml(text)
  throw unsupported(body, mediaType === undefined ? 'no Content-Type' : `"${mediaType.slice(0, 100)}"`)
}

/** The body as the text that came, of whatever media type. */
export async function readRawBody(request: Request): Promise<string> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    throw new AppError('request.unsupported-media-type', 'Send text in UTF-8 that is not compressed.')
  }
  return readText(request)
}

/** The fields of a form, each a text. One that is sent twice is refused, like a key of JSON that no schema knows. */
function parseForm(text: string): Json {
  const fields: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(fields, name))
      throw new AppError('request.malformed', 'The form has a field more than once.')
    Object.defineProperty(fields, name, { value, enumerable: true })
  }
  checkJson(fields)
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

function parsedJson(text: string): Json {
  const json = parseJson(text)
  // Only these can hide what no database stores: an escaped NUL, a number beyond all bounds.
  if (/\\u0000|[eE]\+?\d{3}|\d{300}/.test(text)) refuseUnstorable(json)
  return json
}

function unsupported(body: RouteBody, got: string): AppError {
  const allowed = body.yaml ? 'application/json or application/yaml' : 'application/json'
  return new AppError(
    'request.unsupported-media-type',
    `Send ${allowed}, in UTF-8 and not compressed; got ${got}.`,
  )
}

/** The media type without parameters; undefined where there is none, or another charset than UTF-8. */
function mediaTypeOf(header: string | null): string | undefined {
  if (header === null) return undefined
  const [type, ...parameters] = header.toLowerCase().split(';')
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='))
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  return isUtf8 ? type?.trim() : undefined
}

async function readText(request: Request): Promise<string> {
  const bytes = await readBytes(request)
  try {
    return utf8.decode(bytes)
  } catch {
    throw new AppError('request.malformed', 'The body is not UTF-8.')
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > BODY_BYTES_MAX) throw tooLarge()
  try {
    // With a length the server reads no more than that many bytes; without one they are counted as they come.
    if (length !== null) return new Uint8Array(await request.arrayBuffer())
    return await readCounted(request)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('request.malformed', 'The body ended before it was complete.', { cause: error })
  }
}

async function readCounted(request: Request): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array()
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > BODY_BYTES_MAX) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge()
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function tooLarge(): AppError {
  return new AppError('request.too-large', `The body may have at most ${BODY_BYTES_MAX} bytes.`)
}
