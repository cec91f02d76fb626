import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isId, newId } from '../../base/ids.ts'
import { runUsageId, toolUsageId } from './fact-id.ts'

describe('ids of usage records', () => {
  it('are derived from the fact, and from nothing else', () => {
    const run = newId('run')
    assert.equal(runUsageId(run), runUsageId(run))
    assert.equal(toolUsageId(`${run}:3:1`), toolUsageId(`${run}:3:1`))
    const ids = [
      runUsageId(run),
      runUsageId(newId('run')),
      toolUsageId(`${run}:3:1`),
      toolUsageId(`${run}:3:11`),
    ]
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.ok(isId('usage', id), id)
  })
})
