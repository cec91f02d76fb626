// For the fuzz test: requests made from the OpenAPI document, some nearly right and some hostile, the same for each seed.

import type { Json } from '../base/json.ts'
import { type Operation, openApiDocument } from '../contract/openapi.ts'

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface Fuzz {
  /** A request to any route. It reuses ids that were `seen` in answers. */
  request(): FuzzRequest
  seen(json: Json): void
}

/** In every odd text, to be looked for where it must not come back. */
export const CANARY = 'inj3cted'

const ID = /^[a-z]{3}_\w{26}$/
type Schema = Readonly<Record<string, unknown>>
const SEEN_MAX = 200
const DEPTH_MAX = 6

/** Texts that have broken something somewhere. */
const ODD_TEXTS: readonly string[] = [
  '',
  '\u0000',
  `a\u0000${CANARY}`,
  `${CANARY}\r\nset-cookie: ${CANARY}=1`,
  '\ud800',
  '\u202etxet',
  'é'.repeat(40),
  '🙂'.repeat(300),
  "' or 1=1; drop table runs; --",
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '%2e%2e%2f',
  '{{7*7}}#{7*7}',
  '=cmd|calc',
  '(a+)+$',
  '9'.repeat(400),
  '1e999',
  'null',
  '\u001b[31m',
  'x'.repeat(5_000),
  '2026-02-30T25:61:61.000Z',
  'file:///etc/passwd',
  'http://169.254.169.254/',
]
const ODD_NUMBERS = [-1, 0, -0, 0.5, 1e21, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 63, 999_999_999, 5e-324]
const ODD_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { accept: 'text/event-stream' },
  { accept: '*/*;q=0, application/xml' },
  { accept: 'a/b;'.repeat(500) },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json;;;' },
  { 'content-type': 'application/yaml' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-encoding': 'gzip' },
  { 'idempotency-key': 'k'.repeat(255) },
  { 'idempotency-key': CANARY },
  { 'idempotency-key': 'again' },
  { 'idempotency-key': '' },
  { 'if-match': '"1"' },
  { 'if-match': '*' },
  { 'if-match': `W/"${CANARY}"` },
  { 'last-event-id': '1' },
  { 'last-event-id': '-1' },
  { 'x-request-id': `${CANARY} ${CANARY}` },
  { traceparent: `00-${'0'.repeat(32)}-${CANARY}-01` },
  { prefer: `wait=${'9'.repeat(50)}` },
  { 'x-http-method-override': 'DELETE' },
  { 'x-forwarded-host': CANARY },
]
const ODD_BODIES: readonly string[] = [
  '',
  'null',
  '[]',
  '"text"',
  '{',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  `{"a":"\\u0000"}`,
  `{"a":${'9'.repeat(400)}}`,
  '['.repeat(3_000),
  `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
  `[${'0,'.repeat(120_000)}0]`,
  'a: &a [x]\nb: *a',
  '\ufeff{}',
]

/** `spared` is an id that is never used: of the key that asks, which would be revoked. */
export function createFuzz(seed: number, spared: string): Fuzz {
  const random = mulberry32(seed)
  const { paths, components } = openApiDocument()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const seenTexts: string[] = []
  const chance = (share: number): boolean => random() < share
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  /** What is archived does little any more: deletions come more seldom. */
  const pickOperation = () => {
    const picked = pick(operations)
    return picked.method === 'DELETE' && chance(0.8) ? pick(operations) : picked
  }
  const oddText = (): string => (chance(0.3) && seenTexts.length > 0 ? pick(seenTexts) : pick(ODD_TEXTS))

  const oddValue = (): Json =>
    pick<() => Json>([
      () => oddText(),
      () => pick(ODD_NUMBERS),
      () => null,
      () => chance(0.5),
      () => [],
      () => [oddText(), [oddText()]],
      () => ({}),
      () => ({ [oddText()]: oddText() }),
    ])()

  /** A value of the schema, or now and then of anything else. `odd` is the share of what is not right. */
  const valueFor = (schema: Schema, odd: number, depth = 0): Json => {
    if (chance(odd) || depth > DEPTH_MAX) return oddValue()
    const { $ref, anyOf, oneOf, type, properties, items } = schema as {
      readonly $ref?: string
      readonly anyOf?: readonly Schema[]
      readonly oneOf?: readonly Schema[]
      readonly type?: string
      readonly properties?: Readonly<Record<string, Schema>>
      readonly items?: Schema
    }
    if ($ref !== undefined)
      return valueFor(components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, odd, depth)
    if ('const' in schema) return schema.const as Json
    if (Array.isArray(schema.enum)) return pick(schema.enum as Json[])
    const choices = anyOf ?? oneOf
    if (choices) return valueFor(pick(choices), odd, depth)
    if (properties) {
      const required = new Set(schema.required as readonly string[] | undefined)
      const kept = Object.entries(properties).filter(([name]) => required.has(name) || chance(0.25))
      const made = kept.map(([name, field]): [string, Json] => [name, valueFor(field, odd, depth + 1)])
      if (chance(odd)) made.push([oddText(), oddValue()])
      return Object.fromEntries(made)
    }
    if (type === 'array') {
      const count = Math.floor(random() * 3)
      return Array.from({ length: count }, () => valueFor(items ?? {}, odd, depth + 1))
    }
    if (type === 'integer' || type === 'number') {
      const least = Number(schema.minimum ?? 0)
      const most = Math.min(Number(schema.maximum ?? least + 10), least + 10)
      const number = least + random() * (most - least)
      return type === 'integer' ? Math.floor(number) : number
    }
    if (type === 'boolean') return chance(0.5)
    if (type === 'string') return textOf(schema)
    return oddValue()
  }

  const textOf = ({ pattern }: Schema): string => {
    const form = typeof pattern === 'string' ? new RegExp(pattern, 'u') : undefined
    const fresh = `name-${Math.floor(random() * 1e6)}`
    const candidates = [...seenTexts.slice(-40), ...RIGHT_TEXTS, fresh].filter(
      (text) => form?.test(text) ?? true,
    )
    return candidates.length > 0 ? pick(candidates) : oddText()
  }

  const pathOf = (path: string, { parameters }: Operation, odd: number): string => {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      // A tool is really called: only those that reach no network.
      if (path.endsWith('/test')) return chance(odd) ? pick(ODD_PARTS) : pick(BUILTIN_TOOLS)
      if (chance(odd)) return chance(0.3) ? pick(ODD_PARTS) : encode(oddText())
      const own = seenTexts.filter((text) => text.startsWith(PREFIXES[path.split('/')[3] ?? ''] ?? '-'))
      if (own.length > 0 && name !== 'version' && chance(0.7)) return pick(own)
      const schema = (parameters.find((each) => each.name === name)?.schema ?? {}) as Schema
      return encode(textOf(schema))
    })
    const search = parameters
      .filter((each) => each.in === 'query' && (each.required || chance(0.2)))
      // A wait would be one of real seconds.
      .filter(({ name }) => name !== 'wait')
      .map(({ name, schema }) => `${name}=${encode(plain(valueFor(schema as Schema, odd)))}`)
    if (chance(odd)) search.push(`${encode(oddText())}=${encode(oddText())}`)
    if (chance(odd) && search[0] !== undefined) search.push(search[0])
    if (chance(odd / 4)) search.push('%', '%E0%A4%A', '&&=&')
    return search.length > 0 ? `${filled}?${search.join('&')}` : filled
  }

  const bodyOf = ({ requestBody }: Operation, odd: number): string | undefined => {
    if (!requestBody) return chance(odd) ? pick(ODD_BODIES) : undefined
    if (chance(odd)) return pick(ODD_BODIES)
    const json = requestBody.content['application/json']
    const start = chance(0.5) && json?.example !== undefined ? (json.example as Json) : undefined
    const value = start ?? valueFor((json?.schema ?? {}) as Schema, odd)
    return JSON.stringify(value)
  }

  return {
    request() {
      const { path, method, operation } = pickOperation()
      // A third is as right as can be, the rest more and more wrong.
      const odd = pick([0, 0.1, 0.4])
      const sent = chance(odd / 4) ? pick(['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'POST']) : method
      const body = sent === 'GET' || sent === 'HEAD' ? undefined : bodyOf(operation, odd)
      const headers = {
        accept: path.endsWith('/events') && chance(0.5) ? 'text/event-stream' : 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(chance(0.2) && method === 'POST'
          ? { 'idempotency-key': `key-${Math.floor(random() * 50)}` }
          : {}),
        ...(chance(odd) ? pick(ODD_HEADERS) : {}),
      }
      return { method: sent, path: pathOf(path, operation, odd), headers, body }
    },
    seen(json) {
      const visit = (value: Json, depth: number): void => {
        if (typeof value === 'string' && ID.test(value) && value !== spared && !seenTexts.includes(value))
          seenTexts.push(value)
        if (typeof value === 'object' && value !== null && depth < 4)
          for (const item of Object.values(value)) visit(item, depth + 1)
      }
      visit(json, 0)
      if (seenTexts.length > SEEN_MAX) seenTexts.splice(0, seenTexts.length - SEEN_MAX)
    },
  }
}

/** What the ids of these resources begin with. */
const PREFIXES: Readonly<Record<string, string>> = {
  agents: 'agt_',
  tools: 'tol_',
  workflows: 'wfl_',
  runs: 'run_',
  sessions: 'ses_',
  jobs: 'job_',
  'model-calls': 'mdc_',
  'api-keys': 'key_',
  tenants: 'ten_',
}
const BUILTIN_TOOLS: readonly string[] = ['calculator', 'current_time', 'search_documents']
const RIGHT_TEXTS: readonly string[] = [
  'guide',
  'get-weather',
  'triage',
  'echo',
  'offline/extractive',
  'scripted/test',
  '0.50',
  '1',
  '2',
  'true',
  'input',
  'https://example.com',
  '/v1/{city}',
  '2027-01-01T00:00:00.000Z',
  'a',
]
/** Parts of a path as they are sent: encoded slashes, bytes that are no UTF-8, dots. */
const ODD_PARTS = [
  '%2F',
  'a%2Fb',
  '%00',
  '%',
  '%E0%A4%A',
  '.',
  '..',
  '%2e%2e',
  'a;b',
  'a%0d%0ab',
  '%5c',
  '@',
  ':',
]

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** A small generator of pseudo-random numbers: https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
