// Workflows are run over HTTP as agents are.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import type { Json } from '../base/json.ts'
import { at, errorPaths, isProblem, openApiBench } from './api-bench.test.ts'

const FLOW: Json = {
  name: 'adder',
  input_schema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  nodes: [{ id: 'more', type: 'transform', value: 'input.n + 1' }],
}

forEachDatabase((_, open) => {
  describe('runs of a workflow', () => {
    it('are started, waited for, listed, and made once for a key', async () => {
      await using bench = await openApiBench({ db: await open() })
      await bench.send('POST', '/api/v1/workflows?publish=true', { body: FLOW })
      const run = () =>
        bench.send('POST', '/api/v1/workflows/adder/runs?wait=20', {
          body: { input: { n: 4 } },
          headers: { 'idempotency-key': 'one' },
        })
      const first = await run()
      assert.equal(first.status, 200, first.text)
      assert.deepEqual([at(first.json, 'kind'), at(first.json, 'output')], ['workflow', 5])
      assert.equal(first.headers.get('location'), `/api/v1/runs/${at(first.json, 'id')}`)
      const again = await run()
      assert.equal(at(again.json, 'id'), at(first.json, 'id'))
      const list = await bench.send('GET', '/api/v1/runs?workflow=adder')
      assert.equal((at(list.json, 'items') as Json[]).length, 1)
      const steps = await bench.send('GET', `/api/v1/runs/${at(first.json, 'id')}/steps`)
      assert.equal(at(steps.json, 'items', 0, 'path'), 'more')
    })

    it('are refused with every wrong path of the input, and where the workflow is not published', async () => {
      await using bench = await openApiBench({ db: await open(), working: false })
      await bench.send('POST', '/api/v1/workflows?publish=true', { body: FLOW })
      await bench.send('POST', '/api/v1/workflows', { body: { ...(FLOW as object), name: 'draft' } })
      const wrong = await bench.send('POST', '/api/v1/workflows/adder/runs', { body: { input: { n: 'x' } } })
      isProblem(wrong, 'workflow.input-invalid', 'a wrong input')
      assert.deepEqual(errorPaths(wrong), ['/input/n'])
      const draft = await bench.send('POST', '/api/v1/workflows/draft/runs', { body: {} })
      isProblem(draft, 'workflow.not-published', 'a draft')
    })
  })
})
