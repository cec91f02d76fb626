// No request reads or writes another tenant's row: every route that names a thing, tried with the other's key.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { addInvoice } from '../../test/support/billing.ts'
import { forEachDatabase } from '../../test/support/database.ts'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { EXAMPLE_BODIES } from '../contract/openapi/examples.ts'
import { OPERATE } from '../contract/permission.ts'
import { FEATURES } from '../contract/plan.ts'
import { fullPath } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { listAudit } from '../events/audit-log.ts'
import type { Script } from '../models/scripted/script.ts'
import { AGENT, at, openApiBench, type Received } from './api-bench.test.ts'

/** Who has a tool asks for it, and waits for approval. */
const PAYER: Script = ({ messages, tools: [tool] }) =>
  tool === undefined || messages.length > 1
    ? { text: 'Hello.' }
    : { toolCalls: [{ tool: tool.name, arguments: {} }] }

/** The same text with ids and names of nothing. */
function strange(text: string): string {
  return text
    .replace(/\b([a-z]{3})_[0-9a-z]{26}\b/g, (_, prefix: string) => `${prefix}_${newId('run').slice(4)}`)
    .replace(/\bsecret-(\w+)/g, 'absent-$1')
}

/** An answer without what differs by itself: ids, names, the time. */
function plain({ status, headers, text }: Received): string {
  const told = text.replace(/\b[a-z]{3}_[0-9a-z]{26}\b/g, 'ID').replace(/\b(secret|absent)-/g, 'X-')
  const names = [...headers].filter(([name]) => name !== 'x-request-id')
  return JSON.stringify([status, names, told])
}

forEachDatabase((_, open) => {
  it('two tenants never meet', async () => {
    await using bench = await openApiBench({ db: await open(), script: PAYER })
    const { ada } = bench
    const bo = await bench.account()
    const make = async (path: string, body: object): Promise<string> => {
      const made = await bench.send('POST', `/api/v1${path}`, { body: body as never })
      assert.ok(made.status < 300, made.text)
      return String(at(made.json, 'id'))
    }
    const agent = await make('/agents?publish=true', AGENT as object)
    await make('/agents?publish=true', { ...(AGENT as object), name: 'secret-agent' })
    const run = await make(`/agents/${agent}/runs?wait=20`, { input: 'The secret of Ada.' })
    const calls = await bench.send('GET', `/api/v1/runs/${run}/model-calls`)
    const jobs = await bench.db
      .tenant(ada.tenantId)
      .read((reader) =>
        reader.query((db, tenantId) => db.selectFrom('jobs').select('id').where('tenantId', '=', tenantId)),
      )
    await make('/tools?publish=true', {
      name: 'secret-payment',
      description: 'x',
      effect: 'once',
      approval: 'always',
      implementation: { type: 'http', method: 'POST', base_url: 'https://example.com', path: '/' },
    })
    await make('/agents?publish=true', {
      ...(AGENT as object),
      name: 'secret-payer',
      tools: ['secret-payment'],
    })
    await make('/agents/secret-payer/runs?wait=20', { input: 'The secret of Ada.' })
    const approvals = await bench.send('GET', '/api/v1/approvals')
    const subscribe = async (): Promise<string> => {
      const plan = { key: 'team', name: 'Team', currency: 'USD', interval: 'month', base_price: '1.00' }
      await make('/billing/plans', { ...plan, features: [...FEATURES] })
      return make('/billing/subscriptions', { plan: 'team' })
    }
    const things: Readonly<Record<string, string>> = {
      approvals: String(at(approvals.json, 'items', 0, 'id')),
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
      triggers: await make('/triggers', {
        kind: 'event',
        name: 'secret-trigger',
        target: { agent: 'guide' },
        event_name: 'secret.event',
      }),
      jobs: String(jobs[0]?.id),
      'api-keys': await make('/api-keys', { name: 'secret-key', permissions: ['READ_AGENTS'] }),
      tenants: ada.tenantId,
      'billing/tenant': ada.tenantId,
      'billing/invoices': await addInvoice(bench.db, ada.tenantId),
      'billing/subscriptions': await subscribe(),
      projects: await make('/projects', { name: 'secret-project' }),
      'financial/prices': await make('/financial/prices', {
        subject: 'tool/secret-payment',
        amounts: { price: '0.5' },
      }),
      'financial/rerates': await make('/financial/rerates', {
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-02T00:00:00.000Z',
        reason: 'secret',
      }),
      'financial/budgets': await make('/financial/budgets', {
        name: 'secret-budget',
        scope: { type: 'agent', id: 'secret-agent' },
        limit_usd: '5',
        period: 'day',
        mode: 'soft',
      }),
    }
    const facts = async () => (await listAudit(bench.db, ada.tenantId, { limit: 100 })).items.length
    const before = await facts()

    // What is public asks for no tenant: its token or signature says which.
    // A month is everybody's, and so is a plan.
    const guarded = ROUTE_LIST.filter(
      ({ id, params, permission }) =>
        params && permission !== 'public' && !('month' in params) && id !== 'getPlan',
    )
    for (const route of guarded) {
      const [, , , first = '', second] = fullPath(route).split('/')
      const path = fullPath(route)
        .replace('{version}', '1')
        .replace('{seq}', '1')
        .replace('{entity_type}/{entity_id}', 'agent/secret-agent')
        .replace(/\{\w+\}/, things[`${first}/${second}`] ?? things[first] ?? 'missing')
      const query = route.id.startsWith('diff') ? '?from=1&to=1' : ''
      const options = { body: EXAMPLE_BODIES[route.id], headers: { accept: 'application/json' } }
      const refused = await bench.send(route.method, `${path}${query}`, { ...options, key: bo.key })
      const expected = route.permission === OPERATE ? 403 : 404
      assert.equal(refused.status, expected, `${route.id} ${path}: ${refused.status} ${refused.text}`)
      // "Not yours" is told in the very words of "not there".
      const nothing = await bench.send(route.method, `${strange(path)}${query}`, { ...options, key: bo.key })
      assert.equal(plain(refused), plain(nothing), route.id)
      if (route.method !== 'GET') continue
      // The sweep is worth something only where the owner is let in.
      const allowed = await bench.send('GET', `${path}${query}`, { headers: { accept: 'application/json' } })
      assert.equal(allowed.status, 200, `${route.id} ${path}: ${allowed.text}`)
    }
    const lists = ROUTE_LIST.filter(
      ({ id, params, query }) => !params && query && 'cursor' in query.shape && id !== 'listPlans',
    )
    assert.ok(lists.length >= 6)
    for (const route of lists) {
      const shown = await bench.send('GET', fullPath(route), { key: bo.key })
      assert.equal(shown.status, 200)
      for (const [kind, id] of Object.entries(things))
        assert.ok(!shown.text.includes(id), `${route.id} shows ${kind}`)
      assert.ok(!shown.text.includes('secret'), `${route.id}: ${shown.text}`)
    }
    // Named in a body or a filter, they are not there either, and nobody can tell.
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT, key: bo.key })
    const draft = { instructions: 'x', model: 'scripted/test' }
    const named: readonly [method: string, path: string, body: Json | undefined, status: number][] = [
      ['POST', '/agents/guide/runs', { input: 'x', session_id: things.sessions ?? '' }, 404],
      ['POST', '/agents/guide/runs', { input: 'x', project_id: things.projects ?? '' }, 404],
      ['GET', '/financial/prices/effective?subject=tool%2Fsecret-payment', undefined, 404],
      ['POST', '/sessions', { agent }, 404],
      [
        'POST',
        '/financial/budgets',
        { name: 'x', scope: { type: 'agent', id: agent }, limit_usd: '5', period: 'day' },
        422,
      ],
      ['GET', `/financial/budgets?scope_type=agent&scope_id=${agent}`, undefined, 200],
      ['GET', `/financial/costs?agent=${agent}`, undefined, 404],
      ['GET', `/financial/costs?project=${things.projects}`, undefined, 404],
      ['GET', `/financial/costs?run_id=${run}`, undefined, 200],
      ['GET', `/financial/costs/run/${run}`, undefined, 404],
      ['POST', '/financial/costs', { type: 'STORAGE', amount_usd: '1', run_id: run }, 404],
      ['POST', '/financial/costs', { type: 'STORAGE', amount_usd: '1', agent }, 404],
      ['POST', '/financial/costs/estimate', { agent, input: 'x' }, 404],
      ['POST', '/agents?publish=true', { ...draft, name: 'a', tools: ['secret-tool'] }, 422],
      ['POST', '/agents?publish=true', { ...draft, name: 'b', sub_agents: ['secret-agent'] }, 422],
      ['GET', `/approvals?run=${run}`, undefined, 404],
      ['GET', `/runs?agent=${agent}`, undefined, 200],
      ['GET', '/runs?agent=secret-agent', undefined, 200],
      ['GET', `/runs?session_id=${things.sessions}`, undefined, 200],
      ['POST', '/jobs/redrive', {}, 200],
    ]
    for (const [method, path, body, status] of named) {
      const foreign = await bench.send(method, `/api/v1${path}`, { body, key: bo.key })
      const text = body === undefined ? undefined : (JSON.parse(strange(JSON.stringify(body))) as Json)
      const nothing = await bench.send(method, `/api/v1${strange(path)}`, { body: text, key: bo.key })
      assert.equal(foreign.status, status, `${path}: ${foreign.text}`)
      assert.equal(plain(foreign), plain(nothing), path)
    }
    assert.equal(await facts(), before)
  })

  it('two tenants share no cursor and no Idempotency-Key', async () => {
    await using bench = await openApiBench({ db: await open(), working: false })
    const bo = await bench.account()
    const create = (key: string, name: string) =>
      bench.send('POST', '/api/v1/agents?publish=true', {
        key,
        body: { ...(AGENT as object), name },
        headers: { 'idempotency-key': 'the-same', 'content-type': 'application/json' },
      })
    const mine = await create(bench.ada.key, 'guide')
    const theirs = await create(bo.key, 'guide')
    assert.deepEqual([mine.status, theirs.status], [201, 201])
    assert.notEqual(at(mine.json, 'id'), at(theirs.json, 'id'))
    assert.equal(theirs.headers.get('idempotency-replayed'), null)
    assert.equal((await create(bo.key, 'guide')).headers.get('idempotency-replayed'), 'true')
    await bench.send('POST', '/api/v1/agents', { body: { ...(AGENT as object), name: 'second' } })
    const { json } = await bench.send('GET', '/api/v1/agents?limit=1')
    const cursor = String(at(json, 'next_cursor'))
    const walked = await bench.send('GET', `/api/v1/agents?cursor=${cursor}`, { key: bo.key })
    assert.equal(at(walked.json, 'code'), 'cursor.invalid')
  })
})
