import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatTraceparent, parseTraceparent, runContext } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('the trace context', () => {
  it('is read from and written to a traceparent header', () => {
    const header = `00-${TRACE}-${SPAN}-01`
    const context = parseTraceparent(header)
    assert.deepEqual(context, { traceId: TRACE, spanId: SPAN, sampled: true })
    assert.equal(context && formatTraceparent(context), header)
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled, false)
    assert.equal(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE)
  })

  it('is nothing where the header is not one', () => {
    for (const header of [
      undefined,
      '',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `01-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`,
    ]) {
      assert.equal(parseTraceparent(header), undefined, String(header))
    }
  })

  it('of a run is the same each time', () => {
    assert.deepEqual(runContext('run_1', TRACE), runContext('run_1', TRACE))
    assert.notEqual(runContext('run_1', TRACE).spanId, runContext('run_2', TRACE).spanId)
    assert.equal(runContext('run_1', TRACE).traceId, TRACE)
    assert.match(runContext('run_1', 'not a trace').traceId, /^[0-9a-f]{32}$/)
  })
})
