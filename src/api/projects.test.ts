// Projects over HTTP, and runs that name one.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { AGENT, type ApiBench, at, isProblem, openApiBench } from './api-bench.test.ts'

describe('projects over HTTP', () => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench()
    await bench.send('POST', '/api/v1/agents?publish=true', { body: AGENT })
    const nodes = [{ id: 'ask', type: 'agent', agent: 'guide', input: '"Hello?"' }]
    const flow: Json = { name: 'flow', nodes }
    assert.equal((await bench.send('POST', '/api/v1/workflows?publish=true', { body: flow })).status, 201)
  })
  after(() => bench[Symbol.asyncDispose]())

  const make = async (name: string): Promise<string> => {
    const made = await bench.send('POST', '/api/v1/projects', { body: { name } })
    assert.equal(made.status, 201, made.text)
    return String(at(made.json, 'id'))
  }
  const run = (path: string, body: Json) => bench.send('POST', `/api/v1${path}/runs?wait=20`, { body })

  it('are made once for an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'p-1' }
    const body = { name: 'Once' }
    const first = await bench.send('POST', '/api/v1/projects', { body, headers })
    const second = await bench.send('POST', '/api/v1/projects', { body, headers })
    assert.equal(at(first.json, 'id'), at(second.json, 'id'))
    isProblem(await bench.send('POST', '/api/v1/projects', { body }), 'project.name-taken', 'a name again')
  })

  it('have runs, of which those below one are of the same', async () => {
    const project = await make('Support')
    const asked = await run('/agents/guide', { input: 'Hi', project_id: project })
    assert.equal(asked.status, 200, asked.text)
    assert.equal(at(asked.json, 'project_id'), project)
    const flow = await run('/workflows/flow', { project_id: project })
    assert.equal(at(flow.json, 'project_id'), project, flow.text)
    const { json } = await bench.send('GET', `/api/v1/runs?agent=guide`)
    const runs = at(json, 'items') as readonly Json[]
    const below = runs.find((one) => at(one, 'parent_run_id') === at(flow.json, 'id'))
    assert.ok(below)
    assert.equal(at(below, 'project_id'), project)
    const none = await run('/agents/guide', { input: 'Hi' })
    assert.equal(at(none.json, 'project_id'), null)
  })

  it('refuse runs where they are archived or not there, and leave nothing behind', async () => {
    const project = await make('Old')
    const archived = await bench.send('PATCH', `/api/v1/projects/${project}`, { body: { state: 'archived' } })
    assert.equal(at(archived.json, 'state'), 'archived')
    const count = async () => (at((await bench.send('GET', '/api/v1/runs')).json, 'items') as Json[]).length
    const before = await count()
    for (const id of [project, newId('project')]) {
      isProblem(await run('/agents/guide', { input: 'Hi', project_id: id }), 'project.not-found', id)
      isProblem(await run('/workflows/flow', { project_id: id }), 'project.not-found', id)
    }
    isProblem(await run('/agents/guide', { input: 'Hi', project_id: 'support' }), 'request.invalid', 'a name')
    assert.equal(await count(), before)
  })
})
