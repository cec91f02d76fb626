// docs/workflows.md shows what works: its examples pass every check, and its limits are those of the code.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import type { Json } from '../../base/json.ts'
import { codecOf } from '../../contract/codec.ts'
import {
  BRANCHES_MAX,
  FOR_EACH_CONCURRENCY_MAX,
  ITERATIONS_MAX,
  RUN_FACTS,
  WORKFLOW_DEPTH_MAX,
  WORKFLOW_NODES_MAX,
  WORKFLOW_RETRIES_MAX,
  workflowDefinition,
  workflowNode,
} from '../../contract/workflow.ts'
import { CHECKS } from '../catalog-bench.test.ts'
import { workflowErrors } from './workflow-check.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/workflows.md'), 'utf8')

describe('the page on workflows', () => {
  it('has examples that pass every check', () => {
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => parse(text) as Json)
    assert.equal(examples.length, 2)
    for (const example of examples) {
      const decoded = codecOf(workflowDefinition).decode(example)
      assert.ok(decoded.ok, JSON.stringify(decoded))
      assert.deepEqual(workflowErrors(CHECKS, decoded.value), [])
    }
  })

  it('names every type of node, every fact of a run and every limit', () => {
    for (const option of workflowNode.options) assert.ok(page.includes(`| \`${option.shape.type.value}\` |`))
    for (const fact of RUN_FACTS) assert.ok(page.includes(`\`run.${fact}\``))
    const limits = page.slice(page.indexOf('## Limits'))
    const numbers = [...limits.matchAll(/\| ([\d,]+)(?: characters)? \|/g)].map(([, text = '']) =>
      Number(text.replace(',', '')),
    )
    assert.deepEqual(numbers, [
      WORKFLOW_NODES_MAX,
      WORKFLOW_DEPTH_MAX,
      BRANCHES_MAX,
      FOR_EACH_CONCURRENCY_MAX,
      ITERATIONS_MAX,
      WORKFLOW_RETRIES_MAX,
      2_000,
    ])
  })
})
