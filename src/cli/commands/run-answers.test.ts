import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Run } from '../../contract/run.ts'
import type { RunStreamItem } from '../../sdk/stream-run.ts'
import { createChannel } from '../output/channel.ts'
import { createAnswerStream } from './answer-stream.ts'
import { failUnlessCompleted } from './run-outcome.ts'
import { resolutionOf } from './run-resolve.ts'
import { type Wait, waitingLines } from './run-waiting.ts'

const RUN: Run = {
  id: 'run_1',
  kind: 'agent',
  state: 'completed',
  waitingReason: null,
  agent: { id: 'agt_1', name: 'a', version: 1 },
  workflow: null,
  input: 'x',
  output: 'y',
  error: null,
  sessionId: null,
  parentRunId: null,
  blockedBy: null,
  replayOf: null,
  replayFrom: null,
  redriveOf: null,
  triggerId: null,
  projectId: null,
  jobId: 'job_01',
  stepCount: 1,
  toolCallCount: 0,
  usage: { inputTokens: 1, outputTokens: 1 },
  costUsd: '0',
  unpricedCalls: 0,
  traceId: null,
  createdBy: 'key_1',
  createdAt: '2026-11-22T10:00:00.000Z',
  startedAt: null,
  finishedAt: null,
}

describe('a run that did not complete', () => {
  const failed = (code: string): Run => ({ ...RUN, state: 'failed', error: { code, message: 'Why.' } })

  it('fails the command, by its error', () => {
    failUnlessCompleted(RUN)
    assert.throws(() => failUnlessCompleted(failed('limit.money')), {
      kind: 'budget',
      message: /^Why\. \(limit\.money/,
    })
    assert.throws(() => failUnlessCompleted(failed('model.failed')), { kind: 'failed' })
    assert.throws(() => failUnlessCompleted(failed('some.newer-code')), { kind: 'failed' })
    assert.throws(() => failUnlessCompleted({ ...RUN, state: 'cancelled' }), { message: /was cancelled/ })
    assert.throws(() => failUnlessCompleted({ ...RUN, state: 'running' }), { message: /run watch run_1/ })
  })

  it('waits for no money: that limit was reached', () => {
    const waiting: Run = { ...RUN, state: 'waiting', waitingReason: 'budget' }
    assert.throws(() => failUnlessCompleted(waiting), { kind: 'budget' })
  })
})

describe('a run that waits', () => {
  const NOW = Date.parse('2026-11-22T10:00:00.000Z')
  const waiting: Run = { ...RUN, state: 'waiting', waitingReason: 'approval' }
  const step = { seq: 3, name: 'pay', path: null, waitingReason: 'approval', dueAt: null } as const
  const told = (...waits: readonly Wait[]): string => waitingLines(waiting, waits, NOW).join('\n')

  it('says for what, and which command lets it go on', () => {
    assert.match(told({ run: 'run_2', step, approval: 'apr_1' }), /"agent-factory approval approve apr_1"/)
    assert.match(told({ run: 'run_2', step }), /run resolve run_2 3 approve\|decline/)
    const doubt = { ...step, waitingReason: 'in_doubt' } as const
    assert.match(told({ run: 'run_2', step: doubt }), /run resolve run_2 3 succeeded\|failed\|retry/)
    const time = { ...step, waitingReason: 'time', dueAt: '2026-11-24T10:00:00.000Z' } as const
    assert.match(
      told({ run: 'run_2', step: time }),
      /until 2026-11-24 10:00:00Z \(in 2 days\).*run watch run_1/,
    )
    const event = { ...step, waitingReason: 'event' } as const
    const paid = { name: "order's paid", correlation: 'input.id' }
    assert.match(
      told({ run: 'run_2', step: event, event: paid }),
      /event send 'order'\\''s paid' --correlation TEXT", where TEXT is what input\.id gives/,
    )
    assert.match(told({ run: 'run_2', step: event, event: { name: 'paid' } }), /event send paid"\.$/)
    assert.match(told({ run: 'run_2', step: event }), /event send NAME/)
    assert.match(told(), /run get run_1/)
    assert.match(told(...Array<Wait>(6).fill({ run: 'run_2', step })), /(.+\n){5}It waits for more/)
  })

  it('says which worker is missing', () => {
    const blockedBy = { code: 'tool.unregistered', message: 'No worker has "pay".' }
    const [line = ''] = waitingLines({ ...RUN, state: 'queued', blockedBy }, [], NOW)
    assert.match(line, /waits for a worker.*No worker has "pay"\. \(tool\.unregistered\).*run watch run_1/)
  })
})

describe('the answer to a waiting step', () => {
  it('takes what belongs to its outcome, and refuses what would be lost', () => {
    assert.deepEqual(resolutionOf(2, 'succeeded', { output: '{"a":1}' }), {
      step: 2,
      outcome: 'succeeded',
      output: { a: 1 },
    })
    assert.deepEqual(resolutionOf(2, 'decline', { reason: 'no' }), {
      step: 2,
      outcome: 'decline',
      reason: 'no',
    })
    assert.deepEqual(resolutionOf(2, 'approve', {}), { step: 2, outcome: 'approve' })
    assert.throws(() => resolutionOf(2, 'approve', { reason: 'x' }), { kind: 'usage' })
    assert.throws(() => resolutionOf(2, 'retry', { output: '1' }), { kind: 'usage' })
    assert.throws(() => resolutionOf(2, 'succeeded', {}), { kind: 'usage', message: /--output/ })
  })
})

describe('an answer that streams', () => {
  const delta = (step: number, text: string, attempt = 1): RunStreamItem => ({
    type: 'delta',
    step,
    attempt,
    delta: { type: 'text', text },
  })
  const written = (items: readonly RunStreamItem[], answer: string): string => {
    let text = ''
    const write = (more: string): void => {
      text += more
    }
    const out = createChannel({ write }, false, undefined)
    const spinner = { say: () => undefined, clear: () => undefined, [Symbol.dispose]: () => undefined }
    const stream = createAnswerStream(out, spinner)
    for (const item of items) stream.take(item)
    stream.end(answer)
    return text
  }

  it('is written once', () => {
    assert.equal(written([delta(1, 'Hel'), delta(1, 'lo')], 'Hello'), 'Hello\n')
    assert.equal(written([], 'Hello'), 'Hello\n')
  })
  it('begins anew with a new attempt or turn', () => {
    assert.equal(written([delta(1, 'Hal'), delta(1, 'Hello', 2)], 'Hello'), 'Hal\nHello\n')
    assert.equal(
      written([delta(1, 'Let me look.'), delta(3, 'It is 3.')], 'It is 3.'),
      'Let me look.\nIt is 3.\n',
    )
  })
  it('is written whole where what streamed is not it', () => {
    assert.equal(written([delta(1, 'call 555')], 'call [number]'), 'call 555\ncall [number]\n')
    assert.equal(written([delta(1, 'half')], ''), 'half\n')
  })
  it('cannot steer the terminal', () =>
    assert.equal(written([delta(1, 'a\u001b[2J')], 'a\\u001b[2J'), 'a\\u001b[2J\n'))
})
