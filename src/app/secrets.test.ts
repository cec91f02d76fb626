// Secrets put everywhere that they may be, then looked for everywhere that they may not.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Json } from '../base/json.ts'
import { createTestWorld } from '../cli/test-world.ts'
import { createLogger } from '../operations/logging/logger.ts'
import { compose } from './compose.ts'
import { diagnose } from './doctor.ts'
import { readSettings } from './settings.ts'

const KEY = 'sk-canary0key0canary0key'
/** Of no form that anybody knows. */
const PLAIN_KEY = 'Tr0ub4dor&3-canary'
const OTLP = 'canary-collector-token'
const CANARY = /canary|Tr0ub4dor/

describe('a secret', () => {
  let folder = ''
  /** A provider that says in its failures what it was sent, and a collector of traces. */
  const sent: string[] = []
  const spans: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { authorization = '', 'x-token': token = '' } = request.headers
    const isTrace = request.url?.endsWith('/v1/traces') ?? false
    if (isTrace) spans.push(body)
    sent.push(`${authorization}${token}`)
    const message = `Incorrect API key provided: ${authorization.slice(7)} (${authorization})`
    response.writeHead(isTrace ? 200 : 401, { 'content-type': 'application/json', 'x-key': authorization })
    response.end(
      isTrace ? '{}' : JSON.stringify({ error: { message, type: 'invalid_request_error', code: message } }),
    )
  })
  let url = ''
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'af-secrets-'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })
  const environment = () => ({
    AGENT_FACTORY_DATA_DIR: folder,
    PORT: '0',
    LOG_LEVEL: 'trace',
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `${url}/v1`,
    ANTHROPIC_API_KEY: KEY,
    MODEL_PROVIDERS: `lab=${url}/v1`,
    LAB_API_KEY: PLAIN_KEY,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-token=${OTLP}`,
  })

  it('of a provider reaches that provider only: no log, answer, event, prompt log, metric, trace or file', async () => {
    const settings = readSettings(environment())
    const told: string[] = []
    const log = createLogger({
      ...settings.log,
      format: 'json',
      secrets: settings.secrets.map((held) => held.reveal()),
      service: { name: 'agent-factory', version: '1' },
      color: false,
      write: (line) => told.push(line),
    })
    let apiKey = ''
    {
      await using app = await compose(settings, { log })
      apiKey = (await app.identity.bootstrap({ tenantName: 'a', adminName: 'b' }))?.key ?? ''
      const ask = async (path: string, body?: Json): Promise<Json> => {
        const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
        const headers = {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          accept: '*/*',
        }
        const response = await app.fetch(new Request(`http://test${path}`, { ...init, headers }))
        const text = await response.text()
        told.push(text, JSON.stringify([...response.headers]))
        return /json/.test(response.headers.get('content-type') ?? '') ? (JSON.parse(text) as Json) : text
      }
      for (const provider of ['openai', 'lab']) {
        const agent = { name: provider, instructions: 'x', model: `${provider}/any` }
        await ask('/api/v1/agents?publish=true', agent)
        const run = (await ask(`/api/v1/agents/${provider}/runs?wait=20`, { input: 'Hi' })) as Record<
          string,
          string
        >
        assert.equal(run.state, 'failed')
        for (const part of ['', '/steps', '/events', '/model-calls'])
          await ask(`/api/v1/runs/${run.id}${part}`)
        const calls = (await ask(`/api/v1/runs/${run.id}/model-calls`)) as {
          readonly items: readonly { id: string }[]
        }
        assert.ok(calls.items.length > 0)
        for (const { id } of calls.items) await ask(`/api/v1/model-calls/${id}`)
      }
      for (const path of [
        '/metrics',
        '/readyz',
        '/docs',
        '/openapi.json',
        '/api/v1/audit',
        '/api/v1/api-keys',
      ])
        await ask(path)
    }
    // It was really sent, and told back.
    assert.ok(sent.includes(`Bearer ${KEY}`) && sent.includes(`Bearer ${PLAIN_KEY}`) && sent.includes(OTLP))
    assert.ok(spans.length > 0)
    const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'))
    assert.ok(files.length > 0)
    for (const text of [...told, ...spans, ...files]) {
      assert.doesNotMatch(text, CANARY)
      assert.ok(!text.includes(apiKey), text)
    }
  })

  it('is in nothing that the command line prints, whatever goes wrong', async () => {
    const database = 'postgres://me:canary-password@127.0.0.1:1/x?password=canary-password'
    using world = createTestWorld({ ...environment(), AGENT_FACTORY_API_KEY: `af_canary${'0'.repeat(43)}` })
    const hopeless = { DATABASE_URL: database, AGENT_FACTORY_DEBUG: '1' }
    const away = { AGENT_FACTORY_URL: 'http://127.0.0.1:1', AGENT_FACTORY_DEBUG: '1' }
    for (const [args, more] of [
      [['doctor'], {}],
      [['doctor', '--json'], hopeless],
      [['serve'], hopeless],
      [['db', 'status'], hopeless],
      [['db', 'migrate', '--json'], hopeless],
      [['auth', 'whoami', '--json'], away],
      [['agent', 'list'], away],
      [['agent', 'list'], { ...away, AGENT_FACTORY_URL: `http://${'me:canary'}@127.0.0.1:1` }],
    ] as const) {
      const { code, out, err } = await world.run(args, { environment: more })
      assert.doesNotMatch(out + err, CANARY, args.join(' '))
      if (args[0] !== 'doctor') assert.notEqual(code, 0)
    }
    assert.doesNotMatch(JSON.stringify(await diagnose({ ...environment(), DATABASE_URL: database })), CANARY)
  })
})
