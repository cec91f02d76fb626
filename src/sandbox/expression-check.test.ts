import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expressionErrors, expressionFields } from './expression-check.ts'

describe('checking an expression', () => {
  const errors = (source: string, result?: Parameters<typeof expressionErrors>[2]) =>
    expressionErrors(source, ['input', 'nodes'], result).length

  it('tells whether it compiles over the variables', () => {
    assert.equal(errors('input.a + nodes.b'), 0)
    for (const source of ['input.', 'secrets', '1 + "a"']) assert.equal(errors(source), 1, source)
  })

  it('tells whether it can give what is asked, as far as that is known before it runs', () => {
    for (const result of ['condition', 'list', 'text', 'time'] as const)
      assert.equal(errors('input.x', result), 0)
    assert.deepEqual([errors('1 < 2', 'condition'), errors('1', 'condition')], [0, 1])
    assert.deepEqual([errors('[1]', 'list'), errors('"a"', 'list')], [0, 1])
    assert.deepEqual([errors('"a"', 'text'), errors('[1]', 'text')], [0, 1])
    assert.deepEqual(
      [errors('timestamp(input.at)', 'time'), errors('"2030"', 'time'), errors('true', 'time')],
      [0, 0, 1],
    )
    assert.match(
      expressionErrors('1', [], 'condition')[0]?.message ?? '',
      /must give true or false; it gives an int/,
    )
  })

  it('tells the fields of a variable that it reads', () => {
    const fields = (source: string) => expressionFields(source, ['input', 'nodes'], 'nodes')
    assert.deepEqual(fields('nodes.a.b + nodes["c"] + input.d'), ['a', 'c'])
    assert.deepEqual(fields('has(nodes.a) ? [1].map(x, nodes.b) : [nodes.a]'), ['a', 'b'])
    assert.deepEqual(fields('[nodes, nodes[input.x]]'), ['*'])
    assert.deepEqual(fields('[{"z": 1}].map(nodes, nodes.z)'), [])
    assert.deepEqual(fields('nodes.'), [])
  })
})
