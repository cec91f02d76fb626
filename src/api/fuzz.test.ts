// The API as it is served, asked whatever the route table allows and much that it does not. Whatever is asked, it
// answers in the forms that it promises: a success of the route's schema, or a problem whose code the route names.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createDatabase } from '../../test/support/postgres.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { type App, compose } from '../app/compose.ts'
import { readSettings } from '../app/settings.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { codecOf } from '../contract/codec.ts'
import { problem, statusByCode } from '../contract/problem.ts'
import { commonErrors, fullPath, type Route } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { createScriptedModel } from '../models/scripted/scripted-model.ts'
import { createLogger } from '../operations/logging/logger.ts'
import { AGENT, at } from './api-bench.test.ts'
import { CANARY, createFuzz, type FuzzRequest } from './fuzz-requests.test.ts'

const SEED = 20_261_122
const REQUESTS = { sqlite: 4_000, postgres: 1_000 } as const
/** Requests under way at the same moment. */
const PARALLEL = 8

/** With the literal paths first, as the router decides. */
const forms = ROUTE_LIST.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length).map(
  (route) => ({
    route,
    form: new RegExp(
      `^${fullPath(route)
        .replaceAll('.', '\\.')
        .replace(/\{\w+\}/g, '[^/]+')}$`,
    ),
  }),
)
/** What is answered where no route is. */
const NOWHERE: readonly ErrorCode[] = ['route.not-found', 'request.method-not-allowed']

for (const database of testDatabases()) {
  describe(`whatever is asked, on ${database}`, () => {
    const opened = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), 'af-fuzz-'))
    const troubles: string[] = []
    let app: App
    let key = ''
    let keyId = ''

    before(async () => {
      const url =
        database === 'sqlite'
          ? 'sqlite::memory:'
          : opened.use(await createDatabase(process.env.TEST_POSTGRES_URL ?? '')).url
      const settings = readSettings({ AGENT_FACTORY_DATA_DIR: folder, DATABASE_URL: url })
      const log = createLogger({
        level: 'debug',
        format: 'json',
        secrets: [],
        service: { name: 'agent-factory', version: '1' },
        color: false,
        write: (line) => {
          if (/"level":"(error|fatal)"/.test(line) && !line.includes('"route":"testTool"'))
            troubles.push(line)
        },
      })
      const models = [createScriptedModel('scripted', () => ({ text: 'Hello.' }))]
      app = opened.use(await compose(settings, { log, models }))
      const made = await app.identity.bootstrap({ tenantName: 'Fuzz', adminName: 'Ada' })
      key = made?.key ?? ''
      keyId = (await app.identity.authenticateKey(key)).apiKeyId ?? ''
    })
    after(async () => {
      await opened.disposeAsync()
      rmSync(folder, { recursive: true })
    })
    const trouble = (warning: unknown): void => void troubles.push(String(warning))

    const send = (request: Partial<FuzzRequest>): Promise<Response> => {
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        ...request.headers,
      }
      const body = request.body === undefined ? {} : { body: request.body }
      const { method = 'GET', path = '/' } = request
      return Promise.resolve(app.fetch(new Request(`http://test${path}`, { method, headers, ...body })))
    }

    it('answers in the forms that it promises', { timeout: 60_000 }, async () => {
      process.on('warning', trouble)
      const fuzz = createFuzz(SEED, keyId)
      for (const name of ['guide', 'second', 'third', 'fourth']) {
        const body = JSON.stringify({ ...(AGENT as object), name })
        await send({ method: 'POST', path: '/api/v1/agents?publish=true', body })
        const run = await send({
          method: 'POST',
          path: `/api/v1/agents/${name}/runs`,
          body: '{"input":"Hello"}',
        })
        fuzz.seen((await run.json()) as Json)
      }
      const wrong: string[] = []
      const statuses = new Map<number, number>()
      for (let sent = 0; sent < REQUESTS[database]; sent += PARALLEL) {
        const requests = Array.from({ length: PARALLEL }, () => fuzz.request())
        const answers = await Promise.all(requests.map(send))
        for (const [index, response] of answers.entries()) {
          const request = requests[index] as FuzzRequest
          const { text, json } = await read(response)
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
          const fault = faultOf(request, response, text, json)
          if (fault !== undefined) wrong.push(told(sent + index, request, response, text, fault))
          if (response.ok) fuzz.seen(json)
        }
      }
      process.off('warning', trouble)
      assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${REQUESTS[database]} answers were wrong`)
      assert.deepEqual(troubles, [])
      // The test is worth something only where much is let through and much is refused, in many ways.
      assert.ok((statuses.get(200) ?? 0) > REQUESTS[database] / 10, JSON.stringify([...statuses]))
      for (const status of [201, 202, 204, 400, 404, 405, 409, 415, 422])
        assert.ok((statuses.get(status) ?? 0) > 0, `${status} was never answered`)
    })
  })
}

/** The body; of a stream, its beginning. */
async function read(response: Response): Promise<{ readonly text: string; readonly json: Json }> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    await reader?.cancel()
    return { text: new TextDecoder().decode(value), json: null }
  }
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  return { text, json: isJson ? (JSON.parse(text) as Json) : null }
}

/** The route that is asked; undefined where there is none. */
function routeOf({ method, path }: FuzzRequest): Route | undefined {
  const { pathname } = new URL(`http://test${path}`)
  const wanted = method === 'HEAD' ? 'GET' : method
  return forms.find(({ route, form }) => route.method === wanted && form.test(pathname))?.route
}

/** What is wrong with the answer, or undefined. */
function faultOf(request: FuzzRequest, response: Response, text: string, json: Json): string | undefined {
  const { status, headers } = response
  if (!headers.get('x-request-id')) return 'no X-Request-Id'
  if (headers.get('x-content-type-options') !== 'nosniff') return 'no nosniff'
  for (const [name, value] of headers) if (value.includes(CANARY)) return `${name} repeats what was sent`
  if (request.method === 'HEAD') return text === '' ? undefined : 'a body for HEAD'
  const route = routeOf(request)
  const isSuccess = status < 400 || (status === 503 && at(json, 'ready') === false)
  return isSuccess ? faultOfSuccess(route, response, text, json) : faultOfProblem(route, response, json)
}

function faultOfSuccess(
  route: Route | undefined,
  response: Response,
  text: string,
  json: Json,
): string | undefined {
  const type = response.headers.get('content-type') ?? ''
  if (route?.kind === 'sse' && (response.status === 204 || type.startsWith('text/event-stream')))
    return undefined
  const schema = route?.responses[response.status]
  if (schema === undefined) return 'a status that the route does not declare'
  if (schema === null) return text === '' ? undefined : 'a body where none belongs'
  if (route?.kind === 'text' || route?.kind === 'html' || route?.kind === 'file') return undefined
  if (type !== 'application/json') return `the type ${type}`
  const decoded = codecOf(schema).decode(json)
  return decoded.ok ? undefined : `not of its schema: ${JSON.stringify(decoded.errors)}`
}

function faultOfProblem(
  route: Route | undefined,
  { status, headers }: Response,
  json: Json,
): string | undefined {
  if (headers.get('content-type') !== 'application/problem+json') return 'not a problem'
  const decoded = codecOf(problem).decode(json)
  if (!decoded.ok) return `not of the schema of problems: ${JSON.stringify(decoded.errors)}`
  const { code, requestId } = decoded.value
  if (requestId !== headers.get('x-request-id')) return 'another request id'
  if (statusByCode[code] !== status || decoded.value.status !== status) return 'another status'
  const declared = route ? [...commonErrors(route), ...(route.errors ?? [])] : NOWHERE
  if (!declared.includes(code)) return `the code ${code}, which the route does not declare`
  // A gateway's failures are those of a tool that was tried; nothing else fails here.
  return status >= 500 && route?.path !== '/tools/{name}/test' ? 'a failure of the server' : undefined
}

function told(
  number: number,
  request: FuzzRequest,
  { status }: Response,
  text: string,
  fault: string,
): string {
  const { method, path, headers, body = '' } = request
  const asked = `${method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 200)} ${body.slice(0, 300)}`
  return `${number} ${fault}\n  ${asked}\n  ${status} ${text.slice(0, 300)}`
}
