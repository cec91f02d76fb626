// No request reads or writes another tenant's row: every route that names a thing, tried with the other's key.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import { EXAMPLE_BODIES } from '../contract/openapi/examples.ts'
import { fullPath } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { listAudit } from '../events/audit-log.ts'
import { AGENT, at, openApiBench } from './api-bench.test.ts'

forEachDatabase((_, open) => {
  it('two tenants never meet', async () => {
    await using bench = await openApiBench({ db: await open() })
    const { ada } = bench
    const bo = await bench.account()
    const make = async (path: string, body: object): Promise<string> => {
      const made = await bench.send('POST', `/api/v1${path}`, { body: body as never })
      assert.ok(made.status < 300, made.text)
      return String(at(made.json, 'id'))
    }
    const agent = await make('/agents?publish=true', AGENT as object)
    const run = await make(`/agents/${agent}/runs?wait=20`, { input: 'The secret of Ada.' })
    const calls = await bench.send('GET', `/api/v1/runs/${run}/model-calls`)
    const jobs = await bench.db
      .tenant(ada.tenantId)
      .read((reader) =>
        reader.query((db, tenantId) => db.selectFrom('jobs').select('id').where('tenantId', '=', tenantId)),
      )
    const things: Readonly<Record<string, string>> = {
      agents: agent,
      tools: await make('/tools', {
        name: 'secret-tool',
        description: 'x',
        implementation: { type: 'http', method: 'GET', base_url: 'https://example.com', path: '/' },
      }),
      workflows: await make('/workflows', {
        name: 'secret-flow',
        nodes: [{ id: 'a', type: 'transform', value: '1' }],
      }),
      runs: run,
      'model-calls': String(at(calls.json, 'items', 0, 'id')),
      sessions: await make('/sessions', { agent }),
      jobs: String(jobs[0]?.id),
      'api-keys': await make('/api-keys', { name: 'secret-key', permissions: ['READ_AGENTS'] }),
      tenants: ada.tenantId,
    }
    const facts = async () => (await listAudit(bench.db, ada.tenantId, { limit: 100 })).items.length
    const before = await facts()

    for (const route of ROUTE_LIST.filter(({ params }) => params)) {
      const kind = fullPath(route).split('/')[3] ?? ''
      const path = fullPath(route)
        .replace('{version}', '1')
        .replace(/\{\w+\}/, things[kind] ?? 'missing')
      const query = route.query && 'from' in route.query.shape ? '?from=1&to=1' : ''
      const options = { body: EXAMPLE_BODIES[route.id], headers: { accept: 'application/json' } }
      const refused = await bench.send(route.method, `${path}${query}`, { ...options, key: bo.key })
      assert.equal(refused.status, 404, `${route.id} ${path}: ${refused.status} ${refused.text}`)
      if (route.method !== 'GET') continue
      // The sweep is worth something only where the owner is let in.
      const allowed = await bench.send('GET', `${path}${query}`, { headers: { accept: 'application/json' } })
      assert.equal(allowed.status, 200, `${route.id} ${path}: ${allowed.text}`)
    }
    const lists = ROUTE_LIST.filter((route) => !route.params && route.query && 'cursor' in route.query.shape)
    assert.ok(lists.length >= 6)
    for (const route of lists) {
      const shown = await bench.send('GET', fullPath(route), { key: bo.key })
      assert.equal(shown.status, 200)
      for (const [kind, id] of Object.entries(things))
        assert.ok(!shown.text.includes(id), `${route.id} shows ${kind}`)
      assert.ok(!shown.text.includes('secret'), `${route.id}: ${shown.text}`)
    }
    // Named in a body or a filter, they are not there either.
    const session = { body: { input: 'x', session_id: things.sessions ?? '' }, key: bo.key }
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT, key: bo.key })
    const borrowed = await bench.send('POST', '/api/v1/agents/guide/runs', session)
    assert.deepEqual([borrowed.status, at(borrowed.json, 'code')], [404, 'session.not-found'])
    for (const filter of [`agent=${agent}`, `session_id=${things.sessions}`]) {
      const none = await bench.send('GET', `/api/v1/runs?${filter}`, { key: bo.key })
      assert.ok(
        none.status === 404 || (none.status === 200 && at(none.json, 'items', 0) === undefined),
        none.text,
      )
    }
    assert.equal(await facts(), before)
  })
})
